import FoundationEssentials

/// How bytes travel in a message of seven-bit lines (RFC 2045, section 6).
enum TransferDecoding {
    /// An encoding that is unknown, or none, leaves the bytes as they are.
    static func decode(_ bytes: ArraySlice<UInt8>, _ encoding: String) -> [UInt8] {
        switch encoding {
        case "base64": base64(bytes)
        case "quoted-printable": quotedPrintable(bytes)
        default: Array(bytes)
        }
    }

    /// The same, without a copy of what is not encoded.
    static func decoded(_ bytes: ArraySlice<UInt8>, _ encoding: String) -> ArraySlice<UInt8> {
        ["base64", "quoted-printable"].contains(encoding) ? decode(bytes, encoding)[...] : bytes
    }

    /// What is no digit is left out, as the RFC has it; a rest that is no byte too.
    static func base64(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count * 3 / 4)
        var bits: UInt32 = 0
        var bitCount = 0
        for byte in bytes {
            guard byte != UInt8(ascii: "=") else { break }
            guard let digit = digit(byte) else { continue }
            bits = bits << 6 | UInt32(digit)
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                result.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
            }
        }
        return result
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }

    /// White space before a line's end was added on the way; `=` at a line's end joins lines.
    static func quotedPrintable(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated() {
            var line = line
            while let last = line.last, [0x0D, 0x20, 0x09].contains(last) { line.removeLast() }
            let isJoined = line.last == UInt8(ascii: "=")
            if isJoined { line.removeLast() }
            result += escaped(Array(line), mark: UInt8(ascii: "="))
            if !isJoined, number < lines.count - 1 { result.append(0x0A) }
        }
        return result
    }

    /// The mark and two hexadecimal digits are a byte; a mark without them stands for itself.
    static func escaped(_ bytes: [UInt8], mark: UInt8) -> [UInt8] {
        var result: [UInt8] = []
        var position = 0
        while position < bytes.count {
            let digits = bytes[min(position + 1, bytes.count)..<min(position + 3, bytes.count)]
            if bytes[position] == mark, digits.count == 2,
                let byte = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            {
                result.append(byte)
                position += 3
            } else {
                result.append(bytes[position])
                position += 1
            }
        }
        return result
    }
}
