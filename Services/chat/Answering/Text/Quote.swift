import FoundationEssentials
import TextAnalysis

/// The sentence of a source that supports a sentence of an answer. Pure.
struct Quote: Sendable, Hashable {
    /// As it stands in the source; empty when no sentence was recognised.
    let text: String
    /// In Unicode scalars of the source.
    let span: Range<Int>?
    /// The quote was found, and every number of the answer's sentence stands in the source.
    let isVerified: Bool

    init(for sentence: String, in source: String) {
        let asked = Set(tokens(of: sentence))
        let hasItsNumbers = Self.numbers(in: sentence).isSubset(of: Self.numbers(in: source))
        guard let range = Self.best(asked, in: source) else {
            text = ""
            span = nil
            isVerified = false
            return
        }
        let scalars = source.unicodeScalars
        let start = scalars.distance(from: scalars.startIndex, to: range.lowerBound)
        let end = scalars.distance(from: scalars.startIndex, to: range.upperBound)
        text = String(source[range])
        span = start..<end
        isVerified = hasItsNumbers
    }

    static func text(in source: String, at span: Range<Int>) -> String {
        let scalars = source.unicodeScalars.dropFirst(span.lowerBound).prefix(span.count)
        return String(String.UnicodeScalarView(scalars))
    }

    /// Most words in common, for its length; numbers in common weigh more, since they are what an
    /// answer in another language shares with its source.
    private static func best(_ asked: Set<String>, in source: String) -> Range<String.Index>? {
        var best: (score: Double, range: Range<String.Index>)?
        for range in Analyser.sentences(in: source) where !range.isEmpty {
            let words = Set(tokens(of: String(source[range])))
            let common = words.intersection(asked).reduce(0.0) { sum, word in
                if word.contains(where: \.isNumber) { return sum + 3 }
                return word.count > 3 ? sum + 1 : sum + 0.1
            }
            guard common >= 1 else { continue }
            let score = common / (Double(words.count + asked.count).squareRoot())
            if score > best?.score ?? 0 { best = (score, range) }
        }
        return best?.range
    }

    /// In one spelling each: `0,137` is `0.137`. The number of a list's item is none.
    static func numbers(in text: String) -> Set<String> {
        var found: Set<String> = []
        for line in text.split(whereSeparator: \.isNewline) {
            var run = ""
            for character in withoutItemNumber(line) + " " {
                let isDigit = character.isASCII && character.isNumber
                if isDigit || (!run.isEmpty && (character == "." || character == ",")) {
                    run.append(character)
                } else if !run.isEmpty {
                    let trimmed = run.reversed().drop { !$0.isNumber }.reversed()
                    found.formUnion(tokens(of: String(trimmed)).prefix(1))
                    run = ""
                }
            }
        }
        return found
    }

    private static func withoutItemNumber(_ line: Substring) -> Substring {
        let text = line.drop { $0 == " " }
        let afterDigits = text.drop(while: \.isNumber)
        let isItem =
            afterDigits.startIndex > text.startIndex
            && (afterDigits.hasPrefix(". ") || afterDigits.hasPrefix(") "))
        return isItem ? afterDigits.dropFirst(2) : text
    }
}
