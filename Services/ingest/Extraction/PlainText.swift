/// Plain text: paragraphs divided by empty lines.
enum PlainText {
    static func blocks(of text: String) -> [TextBlock] {
        var blocks: [TextBlock] = []
        var lines: [Substring] = []
        func endParagraph() {
            if !lines.isEmpty { blocks.append(TextBlock(.paragraph, joined(lines))) }
            lines = []
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.isBlank { endParagraph() } else { lines.append(line) }
        }
        endParagraph()
        return blocks
    }

    /// The lines as they stand, without white space before the first and after each.
    static func joined(_ lines: [Substring]) -> String {
        lines.map { $0.withoutTrailingSpace }.joined(separator: "\n").withoutLeadingSpace
    }
}

extension Substring {
    var isBlank: Bool { unicodeScalars.allSatisfy { $0.properties.isWhitespace } }

    var withoutTrailingSpace: Substring {
        var text = unicodeScalars
        while let last = text.last, last.properties.isWhitespace { text.removeLast() }
        return Substring(text)
    }

    /// How far its first other character is from the line's start; a tab counts four.
    var indentation: Int {
        var width = 0
        for scalar in unicodeScalars {
            switch scalar {
            case " ": width += 1
            case "\t": width += 4
            default: return width
            }
        }
        return width
    }
}

extension String {
    var withoutLeadingSpace: String {
        String(Substring(self).unicodeScalars.drop { $0.properties.isWhitespace })
    }
}
