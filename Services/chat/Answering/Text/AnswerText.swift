import Domain

/// The model's text on its way to the client: links filtered, markers checked, citations made. Pure.
struct AnswerText: Sendable {
    enum Output: Sendable, Hashable {
        case text(String)
        case citation(marker: String, sourceIndex: Int, sentence: String, Quote)
    }

    private let sources: [NumberedSource]
    private var links: LinkFilter
    private var markers: CitationMarkers
    private var cited = CitedText()
    private var citedSentences: Set<CitedSentence> = []

    private struct CitedSentence: Hashable {
        let source: Int
        let text: String
    }

    /// Of one answer; each is looked for in its source.
    private static let citationCountMax = 200

    init(sources: [NumberedSource], keepsMarkers: Bool) {
        self.sources = sources
        links = LinkFilter(known: KnownLinks(sources))
        markers = CitationMarkers(sourceCount: sources.count, keepsMarkers: keepsMarkers)
    }

    mutating func feed(_ text: String) -> [Output] { outputs(of: markers.feed(text)) }

    mutating func finish() -> [Output] {
        var outputs = outputs(of: markers.finish())
        outputs += cited.feed(.text(links.finish())).compactMap { output($0) }
        return outputs + cited.finish().compactMap { output($0) }
    }

    /// Markers first: one that is taken out joins what stands around it.
    private mutating func outputs(of pieces: [CitationMarkers.Piece]) -> [Output] {
        var outputs: [Output] = []
        for piece in pieces {
            switch piece {
            case .text(let text):
                outputs += cited.feed(.text(links.feed(text))).compactMap { output($0) }
            case .marker:
                outputs += cited.feed(.text(links.finishBeforeMarker())).compactMap { output($0) }
                outputs += cited.feed(piece).compactMap { output($0) }
            }
        }
        return outputs
    }

    /// Nil for what was said before: a sentence cites a source once, however often the model wrote it.
    private mutating func output(_ output: CitedText.Output) -> Output? {
        switch output {
        case .text(let text):
            return .text(text)
        case .citation(let number, let sentence):
            guard citedSentences.count < Self.citationCountMax,
                citedSentences.insert(CitedSentence(source: number, text: sentence)).inserted
            else { return nil }
            return .citation(
                marker: "[\(number)]", sourceIndex: number - 1, sentence: sentence,
                Quote(for: sentence, in: sources[number - 1].chunk.text))
        }
    }
}
