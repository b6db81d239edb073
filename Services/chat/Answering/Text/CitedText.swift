/// Says of each marker which sentence it stands for, as soon as that sentence is whole. Pure.
///
/// A marker belongs to the sentence before it when that has ended ("It costs 5 €. [1]"), else to
/// the one it stands in ("According to [1] it costs 5 €."), which is waited for.
struct CitedText: Sendable {
    enum Output: Sendable, Hashable {
        case text(String)
        case citation(source: Int, sentence: String)
    }

    /// Of one sentence; what is longer is judged by its end.
    private static let lengthMax = 2000

    /// The sentence being written, and the one before it, without markers.
    private var sentence = ""
    /// Of the sentence, in characters: counting them anew for each would take the square of its length.
    private var length = 0
    private var previous = ""
    private var waiting: [Int] = []

    mutating func feed(_ piece: CitationMarkers.Piece) -> [Output] {
        switch piece {
        case .marker(let number):
            let shown = Output.text("[\(number)]")
            if sentence.allSatisfy(\.isWhitespace) {
                return [shown, .citation(source: number, sentence: previous)]
            }
            if endsSentence(sentence) {
                return [shown, .citation(source: number, sentence: trimmed(sentence))]
            }
            waiting.append(number)
            return [shown]
        case .text(let text):
            return feed(text)
        }
    }

    mutating func finish() -> [Output] { close() }

    private mutating func feed(_ text: String) -> [Output] {
        var outputs: [Output] = []
        var plain = ""
        for character in text {
            // A full stop ends a sentence only when white space follows it: 0.137 has one too.
            let isEnd =
                character.isNewline || (character.isWhitespace && endsSentence(sentence))
            if isEnd && !waiting.isEmpty {
                outputs.append(.text(plain))
                plain = ""
                outputs += close()
            } else if isEnd {
                _ = close()
            }
            plain.append(character)
            if !isEnd {
                sentence.append(character)
                length += 1
                if length > Self.lengthMax { shorten() }
            }
        }
        if !plain.isEmpty { outputs.append(.text(plain)) }
        return outputs.filter { $0 != .text("") }
    }

    private mutating func close() -> [Output] {
        let whole = trimmed(sentence)
        let citations = waiting.map { Output.citation(source: $0, sentence: whole) }
        waiting = []
        sentence = ""
        length = 0
        if !whole.isEmpty { previous = whole }
        return citations
    }

    /// Joined at the end of a piece, characters may be fewer than were counted.
    private mutating func shorten() {
        sentence = String(sentence.suffix(Self.lengthMax / 2))
        length = sentence.count
    }

    private func endsSentence(_ text: String) -> Bool {
        guard let last = text.last(where: { !"\"'”’»)*_".contains($0) }) else { return false }
        return ".!?…".contains(last)
    }

    private func trimmed(_ text: String) -> String {
        let start = text.drop(while: \.isWhitespace)
        return String(start.reversed().drop(while: \.isWhitespace).reversed())
    }
}
