import Domain

/// A source as it goes over the wire, in `sources`, `/search` and the messages read back.
struct SourceAnswer: Encodable, Sendable {
    struct Metadata: Encodable, Sendable {
        let kind: Document.Kind
        let chunkID: Chunk.ID
        let attachmentID: Attachment.ID?
        let path: String?
        let url: String?
        /// Headings above the text, the outermost first; not there where there are none.
        let headingPath: [String]?
        /// Of a page's front matter; not there where there are none.
        let tags: [String]?
        let page: Int?
        let start: Int
        let end: Int
        /// Where its lines stand on their page; not there where that is not known.
        let boxes: [Box]?

        private enum CodingKeys: String, CodingKey {
            case kind, path, url, tags, page, start, end, boxes
            case headingPath = "heading_path"
            case chunkID = "chunk_id"
            case attachmentID = "attachment_id"
        }
    }

    /// A line's rectangle: see `LineBox`.
    struct Box: Encodable, Sendable {
        let page: Int
        let left: Double
        let top: Double
        let width: Double
        let height: Double
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
        let headingPath = numbered.chunk.headingPath
        let isUpload = numbered.kind == .upload
        metadata = Metadata(
            kind: numbered.kind, chunkID: numbered.chunk.id,
            attachmentID: isUpload
                ? Attachment.ID(rawValue: numbered.documentID.rawValue) : nil,
            path: numbered.path, url: numbered.url,
            headingPath: headingPath.isEmpty ? nil : headingPath,
            tags: numbered.tags.isEmpty ? nil : numbered.tags, page: numbered.chunk.page,
            start: numbered.chunk.span.lowerBound, end: numbered.chunk.span.upperBound,
            boxes: Self.boxes(numbered.chunk.boxes, on: numbered.chunk.page))
    }

    static func boxes(_ boxes: [LineBox], on page: Int?) -> [Box]? {
        guard let page, !boxes.isEmpty else { return nil }
        return boxes.map {
            Box(page: page, left: $0.left, top: $0.top, width: $0.width, height: $0.height)
        }
    }
}
