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

    init(sources: [NumberedSource], keepsMarkers: Bool) {
        self.sources = sources
        links = LinkFilter(known: KnownLinks(sources))
        markers = CitationMarkers(sourceCount: sources.count, keepsMarkers: keepsMarkers)
    }

    mutating func feed(_ text: String) -> [Output] { outputs(of: markers.feed(text)) }

    mutating func finish() -> [Output] {
        var outputs = outputs(of: markers.finish())
        outputs += cited.feed(.text(links.finish())).map(output)
        return outputs + cited.finish().map(output)
    }

    /// Markers first: one that is taken out joins what stands around it.
    private mutating func outputs(of pieces: [CitationMarkers.Piece]) -> [Output] {
        var outputs: [Output] = []
        for piece in pieces {
            switch piece {
            case .text(let text):
                outputs += cited.feed(.text(links.feed(text))).map(output)
            case .marker:
                outputs += cited.feed(.text(links.finishBeforeMarker())).map(output)
                outputs += cited.feed(piece).map(output)
            }
        }
        return outputs
    }

    private func output(_ output: CitedText.Output) -> Output {
        switch output {
        case .text(let text):
            .text(text)
        case .citation(let number, let sentence):
            .citation(
                marker: "[\(number)]", sourceIndex: number - 1, sentence: sentence,
                Quote(for: sentence, in: sources[number - 1].chunk.text))
        }
    }
}
