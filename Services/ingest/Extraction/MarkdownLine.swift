/// What one line of Markdown may be (CommonMark, and the tables of GFM).
struct MarkdownLine {
    struct Fence {
        let character: Character
        let length: Int
    }

    let text: Substring
    let indentation: Int
    private let content: Substring

    init(_ text: Substring) {
        self.text = text
        indentation = text.indentation
        content = text.drop { $0 == " " || $0 == "\t" }.withoutTrailingSpace
    }

    var isBlank: Bool { content.isEmpty }
    var opensComment: Bool { indentation < 4 && content.hasPrefix("<!--") }

    var fence: Fence? {
        guard indentation < 4, let character = content.first, character == "`" || character == "~"
        else { return nil }
        let length = content.prefix { $0 == character }.count
        guard length >= 3 else { return nil }
        // With backticks, a further one makes it code within a line.
        if character == "`", content.dropFirst(length).contains("`") { return nil }
        return Fence(character: character, length: length)
    }

    func closes(_ fence: Fence) -> Bool {
        content.count >= fence.length && content.allSatisfy { $0 == fence.character }
    }

    var heading: (level: Int, text: String)? {
        guard indentation < 4 else { return nil }
        let level = content.prefix { $0 == "#" }.count
        let rest = content.dropFirst(level)
        guard (1...6).contains(level), rest.isEmpty || rest.first == " " || rest.first == "\t"
        else { return nil }
        var text = rest.drop { $0 == " " || $0 == "\t" }
        let closing = text.reversed().prefix { $0 == "#" }.count
        if closing == text.count || text.dropLast(closing).last == " " {
            text = text.dropLast(closing).withoutTrailingSpace
        }
        return (level, String(text))
    }

    /// Of a heading written over a line of `=` or `-`.
    var underlineLevel: Int? {
        guard indentation < 4, let first = content.first, first == "=" || first == "-",
            content.allSatisfy({ $0 == first })
        else { return nil }
        return first == "=" ? 1 : 2
    }

    var isRule: Bool {
        guard indentation < 4, let first = content.first, "*-_".contains(first) else {
            return false
        }
        let signs = content.filter { $0 != " " && $0 != "\t" }
        return signs.count >= 3 && signs.allSatisfy { $0 == first }
    }

    var isListItem: Bool {
        guard let first = content.first else { return false }
        let rest: Substring
        if "-*+".contains(first) {
            rest = content.dropFirst()
        } else {
            let digits = content.prefix { $0.isASCII && $0.isNumber }
            let mark = content.dropFirst(digits.count).first
            guard (1...9).contains(digits.count), mark == "." || mark == ")" else { return false }
            rest = content.dropFirst(digits.count + 1)
        }
        return rest.first == " " || rest.first == "\t"
    }

    var isTableDivider: Bool {
        content.contains("-") && content.contains("|")
            && content.allSatisfy { "|-: \t".contains($0) }
    }
}
