import Domain
import Retrieval

/// A source as the prompt and the client see it. Its place in the list is its number.
struct NumberedSource: Sendable {
    let source: String
    let title: String
    let chunk: Chunk
    let documentID: Document.ID
    let kind: Document.Kind
    let path: String?
    let url: String?
    let score: Double
}

extension NumberedSource {
    /// Text of sources in one prompt, in characters: about 8,000 tokens.
    static let characterCountMax = 32_000

    /// The best sources that fit, each with a `source` and `title` that no other of them has:
    /// clients tell sources apart by the two.
    static func list(of chunks: [RetrievedChunk]) -> [NumberedSource] {
        var room = characterCountMax
        var fitting: [RetrievedChunk] = []
        for chunk in chunks {
            room -= chunk.chunk.text.count
            if room < 0 && !fitting.isEmpty { break }
            fitting.append(chunk)
        }
        var names = UniqueNames()
        return fitting.map { found in
            let source = found.path ?? found.title
            return NumberedSource(
                source: source, title: names.title(for: found, source: source),
                chunk: found.chunk, documentID: found.documentID, kind: found.kind,
                path: found.path, url: found.url, score: found.score)
        }
    }
}

/// Titles that are given once only for each source.
private struct UniqueNames {
    private var used: Set<[String]> = []

    mutating func title(for found: RetrievedChunk, source: String) -> String {
        var title = found.title
        if let heading = found.chunk.headingPath.last, heading != title {
            title += " › \(heading)"
        }
        if let page = found.chunk.page { title += " (p. \(page))" }
        let plain = title
        var number = 2
        while !used.insert([source, title]).inserted {
            title = "\(plain) (\(number))"
            number += 1
        }
        return title
    }
}

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
