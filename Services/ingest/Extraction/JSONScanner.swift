/// The tokens of JSON texts, strictly as RFC 8259 has them, and no deeper than allowed.
struct JSONScanner {
    enum Token: Hashable {
        case beginObject
        case beginArray
        case name(String)
        /// As a person reads it: a string without its quotes, anything else as it is written.
        case scalar(String)
        case end
    }

    private enum Container {
        case object(awaitsValue: Bool)
        case array
    }

    private let bytes: [UInt8]
    private let depthMax: Int
    private var position = 0
    private var containers: [Container] = []
    /// A comma, or nothing at a container's beginning, has to come before the next member.
    private var isFirst = true

    init(_ text: String, depthMax: Int) {
        bytes = Array(text.utf8)
        self.depthMax = depthMax
    }

    /// Whether another text follows the one that ended.
    mutating func hasMore() throws(ExtractionFailure) -> Bool {
        guard containers.isEmpty else { throw .corrupt }
        skipSpace()
        return position < bytes.count
    }

    mutating func next() throws(ExtractionFailure) -> Token {
        skipSpace()
        switch containers.last {
        case .object(awaitsValue: false)?: return try nameOrEnd()
        case .object(awaitsValue: true)?:
            containers[containers.count - 1] = .object(awaitsValue: false)
            return try value()
        case .array?: return try elementOrEnd()
        case nil: return try value()
        }
    }

    private mutating func nameOrEnd() throws(ExtractionFailure) -> Token {
        if take("}") { return endContainer() }
        try takeComma()
        guard take("\"") else { throw .corrupt }
        let name = try string()
        skipSpace()
        guard take(":") else { throw .corrupt }
        containers[containers.count - 1] = .object(awaitsValue: true)
        return .name(name)
    }

    private mutating func elementOrEnd() throws(ExtractionFailure) -> Token {
        if take("]") { return endContainer() }
        try takeComma()
        return try value()
    }

    private mutating func takeComma() throws(ExtractionFailure) {
        guard isFirst || take(",") else { throw .corrupt }
        isFirst = false
        skipSpace()
    }

    private mutating func endContainer() -> Token {
        containers.removeLast()
        isFirst = false
        return .end
    }

    private mutating func value() throws(ExtractionFailure) -> Token {
        if take("{") { return try begin(.object(awaitsValue: false), .beginObject) }
        if take("[") { return try begin(.array, .beginArray) }
        if take("\"") { return .scalar(try string()) }
        let start = position
        while position < bytes.count, Self.isPlain(bytes[position]) { position += 1 }
        let word = String(decoding: bytes[start..<position], as: UTF8.self)
        guard ["true", "false", "null"].contains(word) || Self.isNumber(word) else {
            throw .corrupt
        }
        return .scalar(word)
    }

    private static func isNumber(_ word: String) -> Bool {
        // Not what only Swift reads as a number: hexadecimal digits, infinity.
        word.utf8.allSatisfy { (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }
            && Double(word) != nil
    }

    private mutating func begin(
        _ container: Container, _ token: Token
    ) throws(ExtractionFailure) -> Token {
        guard containers.count < depthMax else { throw .tooDeep }
        containers.append(container)
        isFirst = true
        return token
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "E"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }

    /// After its first quote.
    private mutating func string() throws(ExtractionFailure) -> String {
        var units: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                return TextDecoding.cleaned(String(decoding: units, as: UTF8.self))
            case UInt8(ascii: "\\"): try takeEscape(&units)
            default: units.append(byte)
            }
        }
        throw .corrupt
    }

    private mutating func takeEscape(_ units: inout [UInt8]) throws(ExtractionFailure) {
        guard position < bytes.count else { throw .corrupt }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "n"), UInt8(ascii: "r"): units.append(UInt8(ascii: "\n"))
        case UInt8(ascii: "t"), UInt8(ascii: "b"), UInt8(ascii: "f"):
            units.append(UInt8(ascii: " "))
        case UInt8(ascii: "u"): units += String(try escapedScalar()).utf8
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): units.append(byte)
        default: throw .corrupt
        }
    }

    private mutating func escapedScalar() throws(ExtractionFailure) -> Unicode.Scalar {
        let first = try codeUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        let afterFirst = position
        guard (0xD800...0xDBFF).contains(first), take("\\"), take("u"),
            case let second = try codeUnit(), (0xDC00...0xDFFF).contains(second)
        else {
            // What follows stands for itself.
            position = afterFirst
            return "\u{FFFD}"
        }
        let value = 0x10000 + (UInt32(first - 0xD800) << 10) + UInt32(second - 0xDC00)
        return Unicode.Scalar(value) ?? "\u{FFFD}"
    }

    private mutating func codeUnit() throws(ExtractionFailure) -> UInt16 {
        guard position + 4 <= bytes.count,
            bytes[position..<(position + 4)].allSatisfy(Self.isHexadecimalDigit),
            let unit = UInt16(
                String(decoding: bytes[position..<(position + 4)], as: UTF8.self), radix: 16)
        else { throw .corrupt }
        position += 4
        return unit
    }

    private static func isHexadecimalDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }

    private mutating func skipSpace() {
        while position < bytes.count, Self.isSpace(bytes[position]) { position += 1 }
    }

    private mutating func take(_ mark: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: mark) else { return false }
        position += 1
        return true
    }
}
