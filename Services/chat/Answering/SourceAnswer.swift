import Domain

/// A source as it goes over the wire, in `sources`, `/search` and the messages read back.
struct SourceAnswer: Encodable, Sendable {
    struct Metadata: Encodable, Sendable {
        let kind: Document.Kind
        let chunkID: Chunk.ID
        let attachmentID: Attachment.ID?
        let path: String?
        let url: String?
        let page: Int?
        let start: Int
        let end: Int

        private enum CodingKeys: String, CodingKey {
            case kind, path, url, page, start, end
            case chunkID = "chunk_id"
            case attachmentID = "attachment_id"
        }
    }

    let source: String
    let title: String
    let text: String
    let score: Double
    let metadata: Metadata

    init(_ numbered: NumberedSource) {
        source = numbered.source
        title = numbered.title
        text = numbered.chunk.text
        score = numbered.score
        let isUpload = numbered.kind == .upload
        metadata = Metadata(
            kind: numbered.kind, chunkID: numbered.chunk.id,
            attachmentID: isUpload
                ? Attachment.ID(rawValue: numbered.documentID.rawValue) : nil,
            path: numbered.path, url: numbered.url, page: numbered.chunk.page,
            start: numbered.chunk.span.lowerBound, end: numbered.chunk.span.upperBound)
    }
}
