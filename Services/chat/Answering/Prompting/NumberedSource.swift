import Database
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
    let tags: [String]
    let score: Double
}

extension NumberedSource {
    /// Text of sources in one prompt, in characters: about 8,000 tokens.
    static let characterCountMax = 32_000

    /// The best sources that fit, each with a `source` and `title` that no other of them has:
    /// clients tell sources apart by the two.
    static func list(of chunks: [RetrievedChunk]) -> [NumberedSource] {
        var room = characterCountMax
        var names = UniqueNames()
        var sources: [NumberedSource] = []
        for found in chunks {
            room -= found.chunk.text.count
            if room < 0 && !sources.isEmpty { break }
            let source = NumberedSource(
                source: found.path ?? found.title,
                title: title(found.title, found.chunk), chunk: found.chunk,
                documentID: found.documentID, kind: found.kind, path: found.path, url: found.url,
                tags: found.tags,
                score: found.score)
            sources.append(source.renamed(&names))
        }
        return sources
    }

    /// Those sources of a message that can still be shown, named as in its `sources` event.
    static func named(_ sources: [MessageReferences.Source]) -> [NumberedSource] {
        var names = UniqueNames()
        return sources.compactMap { source in
            source.shown.map { NumberedSource($0, score: source.score).renamed(&names) }
        }
    }

    init(_ shown: ShownChunk, score: Double) {
        self.init(
            source: shown.path ?? shown.title, title: Self.title(shown.title, shown.chunk),
            chunk: shown.chunk, documentID: shown.documentID, kind: shown.kind, path: shown.path,
            url: shown.url, tags: shown.tags, score: score)
    }

    private static func title(_ document: String, _ chunk: Chunk) -> String {
        var title = document
        if let heading = chunk.headingPath.last, heading != document { title += " › \(heading)" }
        if let page = chunk.page { title += " (p. \(page))" }
        return title
    }

    private func renamed(_ names: inout UniqueNames) -> NumberedSource {
        NumberedSource(
            source: source, title: names.title(title, of: source), chunk: chunk,
            documentID: documentID, kind: kind, path: path, url: url, tags: tags,
            score: score)
    }
}

/// Titles that are given once only for each source.
private struct UniqueNames {
    private var used: Set<[String]> = []

    mutating func title(_ plain: String, of source: String) -> String {
        var title = plain
        var number = 2
        while !used.insert([source, title]).inserted {
            title = "\(plain) (\(number))"
            number += 1
        }
        return title
    }
}
