/// Text from the encodings an upload may have: UTF-8, or UTF-16 that says so.
enum TextDecoding {
    /// Line ends become `\n`; what no text holds becomes a space. Nil when it is not such text.
    static func decode(_ bytes: [UInt8]) -> String? {
        guard let text = decodedBytes(bytes) else { return nil }
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

    private static func decodedBytes(_ bytes: [UInt8]) -> String? {
        if bytes.starts(with: [0xFF, 0xFE]) {
            return utf16(bytes.dropFirst(2), lowByteFirst: true)
        }
        if bytes.starts(with: [0xFE, 0xFF]) {
            return utf16(bytes.dropFirst(2), lowByteFirst: false)
        }
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        return String(
            validating: bytes.starts(with: mark) ? bytes.dropFirst(3) : bytes[...], as: UTF8.self)
    }

    private static func utf16(_ bytes: ArraySlice<UInt8>, lowByteFirst: Bool) -> String? {
        guard bytes.count.isMultiple(of: 2) else { return nil }
        var units: [UInt16] = []
        units.reserveCapacity(bytes.count / 2)
        for low in stride(from: bytes.startIndex, to: bytes.endIndex, by: 2) {
            let (first, second) = (UInt16(bytes[low]), UInt16(bytes[low + 1]))
            units.append(lowByteFirst ? second << 8 | first : first << 8 | second)
        }
        return String(validating: units, as: UTF16.self)
    }
}
