import CharacterEncoding

/// Text from bytes in any encoding: as a mark at their beginning says, else UTF-8 if they are valid
/// in it, else what they look like.
enum TextDecoding {
    static func decode(_ bytes: [UInt8]) -> String { cleaned(decodedBytes(bytes)) }

    /// Line ends become `\n`; what no text holds becomes a space.
    static func cleaned(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var isAfterReturn = false
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\r": result.append("\n")
            case "\n" where isAfterReturn: break
            case "\n", "\t": result.append(scalar)
            // A form feed begins a page; vertical tabs and the Unicode separators begin a line.
            case "\u{0C}": result.append(contentsOf: "\n\n".unicodeScalars)
            case "\u{0B}", "\u{85}", "\u{2028}", "\u{2029}": result.append("\n")
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
                result.append(" ")
            default: result.append(scalar)
            }
            isAfterReturn = scalar == "\r"
        }
        return String(result)
    }

    private static func decodedBytes(_ bytes: [UInt8]) -> String {
        if let mark = ByteOrderMark(bytes) {
            return mark.encoding.decode(Array(bytes.dropFirst(mark.byteCount)))
        }
        if let text = String(validating: bytes, as: UTF8.self), !text.utf8.contains(0) {
            return text
        }
        if let encoding = unmarkedUTF16(bytes) { return encoding.decode(bytes) }
        if isDamagedUTF8(bytes.prefix(sampleByteCount)) {
            return String(decoding: bytes, as: UTF8.self)
        }
        let detected = CharacterEncoding.detect(bytes) ?? .windowsLatin1
        let sample = Array(bytes.prefix(sampleByteCount))
        let encoding = ([detected] + CharacterEncoding.western).first {
            WesternText.isPlausible($0.decode(sample))
        }
        return (encoding ?? detected).decode(bytes)
    }

    /// Sequences that no other encoding has by chance, and hardly any that are none: a piece of
    /// another text got into it, or a character was cut.
    private static func isDamagedUTF8(_ bytes: ArraySlice<UInt8>) -> Bool {
        var wholeCount = 0
        var brokenCount = 0
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            if scalar == "\u{FFFD}" {
                brokenCount += 1
            } else if !scalar.isASCII {
                wholeCount += 1
            }
        }
        return wholeCount > 0 && wholeCount >= brokenCount * 3
    }

    private static let sampleByteCount = 64 << 10

    /// European text in UTF-16 has a zero in every other byte, and no other text has zeros.
    static func unmarkedUTF16(_ bytes: some Collection<UInt8>) -> CharacterEncoding? {
        var zeros = [0, 0]
        for (offset, byte) in bytes.prefix(1024).enumerated() where byte == 0 {
            zeros[offset & 1] += 1
        }
        let half = min(bytes.count, 1024) / 2
        if zeros[1] > half / 2, zeros[0] == 0 { return .utf16LowByteFirst }
        if zeros[0] > half / 2, zeros[1] == 0 { return .utf16HighByteFirst }
        return nil
    }
}

/// The mark that a Unicode text may begin with (Unicode Standard, section 23.8).
struct ByteOrderMark {
    let encoding: CharacterEncoding
    let byteCount: Int

    /// The longer ones first: UTF-32's begins with UTF-16's.
    private static let marks: [([UInt8], CharacterEncoding)] = [
        ([0xFF, 0xFE, 0, 0], .utf32LowByteFirst), ([0, 0, 0xFE, 0xFF], .utf32HighByteFirst),
        ([0xEF, 0xBB, 0xBF], .utf8), ([0xFF, 0xFE], .utf16LowByteFirst),
        ([0xFE, 0xFF], .utf16HighByteFirst),
    ]

    init?(_ bytes: some Collection<UInt8>) {
        guard let (mark, encoding) = Self.marks.first(where: { bytes.starts(with: $0.0) }) else {
            return nil
        }
        self.encoding = encoding
        byteCount = mark.count
    }
}
