extension Analyser {
    /// The sentences of a text in their order, without the white space around them.
    ///
    /// A sentence ends with its mark, at an empty line, and before a list item or a heading. It
    /// does not end after abbreviations ("art. 5", "Dr. Rossi", "e.g. this"), initials and list
    /// numbers, nor inside numbers.
    package static func sentences(in text: String) -> [Range<String.Index>] {
        var scanner = SentenceScanner(text)
        return scanner.sentences()
    }
}

private struct SentenceScanner {
    private let text: String
    private var found: [Range<String.Index>] = []
    private var start: String.Index

    init(_ text: String) {
        self.text = text
        start = text.startIndex
    }

    mutating func sentences() -> [Range<String.Index>] {
        var index = text.startIndex
        while index < text.endIndex {
            let character = text[index]
            let next = text.index(after: index)
            if character.isNewline {
                if isBlock(endingAt: index) || beginsBlock(at: next) {
                    close(at: index, resumingAt: next)
                }
                index = next
            } else if Self.marks.contains(character), let end = sentenceEnd(after: index) {
                close(at: end, resumingAt: end)
                index = end
            } else {
                index = next
            }
        }
        close(at: text.endIndex, resumingAt: text.endIndex)
        return found
    }

    private static let marks: Set<Character> = [".", "!", "?", "…", "。", "！", "？"]
    private static let closers: Set<Character> = ["\"", "'", "”", "’", "»", ")", "]", "*", "_"]

    private mutating func close(at end: String.Index, resumingAt next: String.Index) {
        let range = start..<end
        start = next
        guard let first = text[range].firstIndex(where: { !$0.isWhitespace }),
            let last = text[range].lastIndex(where: { !$0.isWhitespace })
        else { return }
        found.append(first..<text.index(after: last))
    }

    /// Where the sentence that this mark may end does end; nil if it goes on.
    private func sentenceEnd(after mark: String.Index) -> String.Index? {
        var end = text.index(after: mark)
        while end < text.endIndex, Self.marks.contains(text[end]) { end = text.index(after: end) }
        while end < text.endIndex, Self.closers.contains(text[end]) { end = text.index(after: end) }
        guard end < text.endIndex else { return end }
        let isAsian = !text[mark].isASCII && text[mark] != "…"
        guard text[end].isWhitespace || isAsian else { return nil }
        guard let following = text[end...].first(where: { !$0.isWhitespace }) else { return end }
        if following.isLowercase { return nil }
        if text[mark] == ".", endsWithAbbreviation(at: mark, before: following) { return nil }
        return end
    }

    private func endsWithAbbreviation(at mark: String.Index, before following: Character) -> Bool {
        let head = text[start..<mark]
        let word = head.reversed().prefix {
            !$0.isWhitespace && $0 != "(" && $0 != "'" && $0 != "’"
        }
        let token = fold(String(word.reversed()))
        // "A. Rossi", "U.S. law"; but "in Plan B. Then" is rarer than initials.
        if token.count == 1, token.allSatisfy(\.isLetter) { return true }
        if token.contains("."), token.count <= 8, token.allSatisfy({ $0.isLetter || $0 == "." }) {
            return !following.isUppercase || Abbreviations.beforeNames.contains(token)
        }
        // The number of a list item is no sentence.
        if !token.isEmpty, token.allSatisfy(\.isNumber), token.count <= 3 {
            return head.drop(while: \.isWhitespace).count == token.count
        }
        if Abbreviations.beforeNames.contains(token) { return true }
        return Abbreviations.all.contains(token) && !following.isUppercase
    }

    /// A heading or a table row is a sentence of its own.
    private func isBlock(endingAt index: String.Index) -> Bool {
        let first = text[start..<index].first { !$0.isWhitespace }
        return first == "#" || first == "|"
    }

    /// An empty line, a list item, a heading, a table row or a quote begins here.
    private func beginsBlock(at index: String.Index) -> Bool {
        let line = text[index...].prefix { !$0.isNewline }.drop(while: \.isWhitespace)
        guard let first = line.first else { return true }
        if first == "#" || first == "|" || first == ">" || first == "•" { return true }
        let rest = line.dropFirst()
        if first == "-" || first == "*" || first == "+" || first == "–" {
            return rest.first?.isWhitespace == true
        }
        let label = line.prefix { $0.isLetter || $0.isNumber }
        let after = line.dropFirst(label.count)
        let isLabel =
            (label.count <= 3 && label.allSatisfy(\.isNumber)) || label.count == 1
        guard isLabel, !label.isEmpty, let mark = after.first, mark == "." || mark == ")" else {
            return false
        }
        return after.dropFirst().first?.isWhitespace == true
    }
}

/// Words written short with a dot, folded and without the last one.
private enum Abbreviations {
    /// Followed by a name or a number, so that a capital after them ends nothing.
    static let beforeNames = words(
        """
        sig sigg sig.ra sigra sig.na dott dott.ssa dr dssa prof prof.ssa ing avv arch geom rag on
        mons mr mrs ms st sr jr gen art artt n nr num no p pp pag pagg par cap fig figg tab vol
        all lett c co d.lgs d.l d.m d.p.r l.r l reg dir cfr vd vedi v via p.za v.le e.g i.e z.b
        d.h sra srta ud uds mme mlle m hr fr nr s bzw
        """)

    static let all = beforeNames.union(
        words("ecc etc es ca circa max min approx vs tel int ext segg seg ss usw ggf"))

    private static func words(_ text: String) -> Set<String> {
        Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
    }
}
