/// The tokens of Rich Text Format 1.9.1.
struct RichTextScanner {
    enum Token {
        case open
        case close
        /// `\word` or `\wordN`.
        case word(String, Int?)
        /// `\` and a sign that is no letter.
        case symbol(UInt8)
        /// A character of the current code page: written as itself or as `\'hh`.
        case byte(UInt8)
    }

    private let bytes: [UInt8]
    private var position = 0

    /// No word of the format is longer.
    private static let wordLengthMax = 32
    private static let digitCountMax = 10

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func next() -> Token? {
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "{"): return .open
            case UInt8(ascii: "}"): return .close
            case UInt8(ascii: "\\"): return control()
            // Line ends divide the source, not the text.
            case 0x0A, 0x0D, 0: continue
            default: return .byte(byte)
            }
        }
        return nil
    }

    /// Bytes that are no text: pictures in binary.
    mutating func skip(_ count: Int) { position = min(bytes.count, position + max(0, count)) }

    private mutating func control() -> Token? {
        guard position < bytes.count else { return nil }
        let first = bytes[position]
        guard Self.isLetter(first) else {
            position += 1
            return first == UInt8(ascii: "'") ? hexadecimalByte() : .symbol(first)
        }
        let word = run(max: Self.wordLengthMax, while: Self.isLetter)
        let isNegative = position < bytes.count && bytes[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        let digits = run(max: Self.digitCountMax) { (0x30...0x39).contains($0) }
        if position < bytes.count, bytes[position] == 0x20 { position += 1 }
        return .word(word, Int(digits).map { isNegative ? -$0 : $0 })
    }

    private mutating func hexadecimalByte() -> Token {
        let digits = bytes[position..<min(position + 2, bytes.count)]
        position += digits.count
        return .byte(UInt8(String(decoding: digits, as: UTF8.self), radix: 16) ?? 0x3F)
    }

    private mutating func run(max count: Int, while isTaken: (UInt8) -> Bool) -> String {
        let start = position
        while position < bytes.count, position - start < count, isTaken(bytes[position]) {
            position += 1
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
