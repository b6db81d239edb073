/// The text of one paragraph as its runs come in: white space of any kind and length becomes one
/// space, and none is left at the ends of a line.
struct InlineText {
    private(set) var text = ""
    /// A space is due before the next word.
    private var isSpaceDue = false

    mutating func append(_ run: String) {
        for scalar in run.unicodeScalars {
            if scalar.properties.isWhitespace {
                isSpaceDue = true
            } else if !Self.isInvisible(scalar) {
                if isSpaceDue, !text.isEmpty, !endsLine { text += " " }
                isSpaceDue = false
                text.unicodeScalars.append(scalar)
            }
        }
    }

    mutating func space() { isSpaceDue = true }

    /// The next word begins a line.
    mutating func breakLine() {
        isSpaceDue = false
        if !text.isEmpty, !endsLine { text += "\n" }
    }

    /// What has come in since the last time.
    mutating func take() -> String {
        defer { self = InlineText() }
        if endsLine { text.removeLast() }
        return text
    }

    private var endsLine: Bool { text.utf8.last == UInt8(ascii: "\n") }

    /// Controls, and marks that tell where a word may break: a word is searched for without them.
    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0xAD, 0x200B, 0x2060, 0xFEFF: true
        // Private use: the bullets of symbol fonts.
        case 0xE000...0xF8FF: true
        default: false
        }
    }
}

extension String {
    /// On one line, with single spaces.
    var onOneLine: String {
        var line = InlineText()
        line.append(self)
        return line.take()
    }
}
