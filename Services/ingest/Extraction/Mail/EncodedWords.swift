import CharacterEncoding

/// `=?charset?B?text?=` and `=?charset?Q?text?=` in headers (RFC 2047).
enum EncodedWords {
    /// A word is 75 characters long at most; some programs did not know.
    private static let wordLengthMax = 1000

    static func decode(_ text: String) -> String {
        guard text.contains("=?"), text.contains("?=") else { return text }
        var result = ""
        var rest = Substring(text)
        var isAfterWord = false
        while let start = rest.firstRange(of: "=?") {
            let before = rest[..<start.lowerBound]
            guard let word = Word(rest[start.upperBound...], lengthMax: wordLengthMax) else {
                result += rest[..<start.upperBound]
                rest = rest[start.upperBound...]
                isAfterWord = false
                continue
            }
            // White space between two encoded words only divides them.
            if !(isAfterWord && before.isBlank) { result += before }
            result += word.text
            rest = word.rest
            isAfterWord = true
        }
        return result + rest
    }

    private struct Word {
        let text: String
        let rest: Substring

        init?(_ source: Substring, lengthMax: Int) {
            let parts = source.prefix(lengthMax).split(
                separator: "?", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, let end = parts[2].firstRange(of: "?="),
                // Without the language that RFC 2231 adds.
                let charset = parts[0].split(separator: "*").first,
                let encoding = CharacterEncoding(named: String(charset))
            else { return nil }
            let content = Array(parts[2][..<end.lowerBound].utf8)
            switch parts[1].lowercased() {
            case "b": text = encoding.decode(TransferDecoding.base64(content))
            case "q":
                let spaced = content.map { $0 == UInt8(ascii: "_") ? 0x20 : $0 }
                text = encoding.decode(
                    TransferDecoding.escaped(spaced, mark: UInt8(ascii: "=")))
            default: return nil
            }
            rest = source[end.upperBound...]
        }
    }
}
