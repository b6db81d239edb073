/// Cuts a sentence that is too long by words, and a word that is too long anywhere.
///
/// Here alone pieces overlap: what spans the cut can still be found whole in one of them.
struct WordWindow {
    let budget: Int
    /// An eighth of a piece is said again in the next, at least a word.
    private var overlap: Int { budget / 8 }

    init(budget: Int) { self.budget = max(1, budget) }

    func cut(_ range: Range<Int>, of text: String) -> [Range<Int>] {
        let words = words(in: range, of: text)
        var pieces: [Range<Int>] = []
        var first = 0
        while first < words.count {
            var last = first
            var tokenCount = words[first].tokenCount
            while last + 1 < words.count, tokenCount + words[last + 1].tokenCount <= budget {
                last += 1
                tokenCount += words[last].tokenCount
            }
            pieces.append(words[first].range.lowerBound..<words[last].range.upperBound)
            if last + 1 == words.count { break }
            var next = last + 1
            var repeated = 0
            while next - 1 > first,
                repeated == 0 || repeated + words[next - 1].tokenCount <= overlap,
                // What is repeated must leave room for what is new.
                repeated + words[next - 1].tokenCount + words[last + 1].tokenCount <= budget
            {
                next -= 1
                repeated += words[next].tokenCount
            }
            first = next
        }
        return pieces
    }

    private struct Word {
        let range: Range<Int>
        let tokenCount: Int
    }

    private func words(in range: Range<Int>, of text: String) -> [Word] {
        let utf8 = text.utf8
        var words: [Word] = []
        var start: Int?
        var end = range.lowerBound
        func endWord() {
            if let first = start { words += pieces(of: first..<end, of: text) }
            start = nil
        }
        for byte in utf8[utf8.index(range.lowerBound)..<utf8.index(range.upperBound)] {
            if byte == 0x20 || (0x09...0x0D).contains(byte) {
                endWord()
            } else if start == nil {
                start = end
            }
            end += 1
        }
        endWord()
        return words
    }

    /// A word, or the parts of one that is longer than the budget.
    private func pieces(of word: Range<Int>, of text: String) -> [Word] {
        let whole = text.slice(word)
        let tokenCount = TokenEstimate.of(whole)
        guard tokenCount > budget else { return [Word(range: word, tokenCount: tokenCount)] }
        var words: [Word] = []
        var start = word.lowerBound
        var end = start
        var count = 0
        // No scalar is estimated at more than three tokens.
        let scalarCountMax = max(1, budget / 3)
        for scalar in whole.unicodeScalars {
            if count == scalarCountMax {
                words.append(Word(range: start..<end, tokenCount: min(budget, 3 * count)))
                start = end
                count = 0
            }
            end += UTF8.width(scalar)
            count += 1
        }
        if start < end {
            words.append(Word(range: start..<end, tokenCount: min(budget, 3 * count)))
        }
        return words
    }
}
