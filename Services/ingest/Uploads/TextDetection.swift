import NIOCore

/// Decides, while a file arrives, whether it is text we can read: valid UTF-8, or UTF-16 that says
/// so, without NULs, and not of a binary family that happens to be written in such bytes.
struct TextDetection: Sendable {
    enum Kind: String, Sendable {
        case markdown = "text/markdown"
        case plain = "text/plain"
    }

    private enum State {
        case opening([UInt8])
        case utf8(UTF8Check)
        /// Whether the low byte comes first, and the byte that waits for its other half.
        case utf16(UTF16Check)
        case refused
    }

    /// Enough for every mark below.
    private static let openingByteCount = 8

    private var state = State.opening([])

    /// False as soon as it is known to be something else.
    mutating func take(_ bytes: ByteBuffer) -> Bool {
        let view = bytes.readableBytesView
        switch state {
        case .opening(var opening):
            let missing = Self.openingByteCount - opening.count
            opening += view.prefix(missing)
            state = .opening(opening)
            guard opening.count == Self.openingByteCount else { return true }
            open(opening)
            check(view.dropFirst(missing))
        case .utf8, .utf16, .refused: check(view)
        }
        if case .refused = state { return false }
        return true
    }

    /// At the end: nil when it is not text. What kind, the name's extension says.
    mutating func finish(filename: Filename) -> Kind? {
        if case .opening(let opening) = state { open(opening) }
        switch state {
        case .utf8(let check) where check.isWhole: break
        case .utf16(let check) where check.isWhole: break
        default: return nil
        }
        return Self.markdownExtensions.contains(filename.fileExtension) ? .markdown : .plain
    }

    private static let markdownExtensions: Set<String> = [
        "md", "markdown", "mdown", "mkd", "mkdn", "mdx",
    ]

    /// PDF, PostScript and RTF begin in ASCII; other families have bytes that no text has.
    private static let binaryMarks = ["%PDF-", "%!PS", "{\\rtf", "ID3"].map { Array($0.utf8) }

    private mutating func open(_ opening: [UInt8]) {
        if Self.binaryMarks.contains(where: { opening.starts(with: $0) }) {
            state = .refused
        } else if opening.starts(with: [0xFF, 0xFE]) {
            state = .utf16(UTF16Check(isLowByteFirst: true))
            check(opening.dropFirst(2))
        } else if opening.starts(with: [0xFE, 0xFF]) {
            state = .utf16(UTF16Check(isLowByteFirst: false))
            check(opening.dropFirst(2))
        } else {
            state = .utf8(UTF8Check())
            check(opening)
        }
    }

    private mutating func check(_ bytes: some Sequence<UInt8>) {
        switch state {
        case .utf8(var check): state = check.take(bytes) ? .utf8(check) : .refused
        case .utf16(var check): state = check.take(bytes) ? .utf16(check) : .refused
        case .opening, .refused: break
        }
    }
}

/// UTF-8 as RFC 3629 has it, without NULs, over bytes in any split.
struct UTF8Check: Sendable {
    private var missing = 0
    /// What the next byte of a sequence may be: the first of them rules out overlong forms,
    /// surrogates and what is beyond Unicode.
    private var allowed: ClosedRange<UInt8> = 0x80...0xBF

    var isWhole: Bool { missing == 0 }

    mutating func take(_ bytes: some Sequence<UInt8>) -> Bool {
        for byte in bytes {
            if missing > 0 {
                guard allowed.contains(byte) else { return false }
                missing -= 1
                allowed = 0x80...0xBF
            } else if byte == 0 || !begin(byte) {
                return false
            }
        }
        return true
    }

    private mutating func begin(_ byte: UInt8) -> Bool {
        switch byte {
        case 0..<0x80: return true
        case 0xC2...0xDF: missing = 1
        case 0xE0...0xEF:
            missing = 2
            if byte == 0xE0 { allowed = 0xA0...0xBF }
            if byte == 0xED { allowed = 0x80...0x9F }
        case 0xF0...0xF4:
            missing = 3
            if byte == 0xF0 { allowed = 0x90...0xBF }
            if byte == 0xF4 { allowed = 0x80...0x8F }
        default: return false
        }
        return true
    }
}

/// UTF-16 with its surrogates in pairs and without NULs, over bytes in any split.
struct UTF16Check: Sendable {
    let isLowByteFirst: Bool
    private var first: UInt8?
    private var awaitsLowSurrogate = false

    init(isLowByteFirst: Bool) { self.isLowByteFirst = isLowByteFirst }

    var isWhole: Bool { first == nil && !awaitsLowSurrogate }

    mutating func take(_ bytes: some Sequence<UInt8>) -> Bool {
        for byte in bytes {
            guard let one = first else {
                first = byte
                continue
            }
            first = nil
            let (high, low) = isLowByteFirst ? (byte, one) : (one, byte)
            guard take(unit: UInt16(high) << 8 | UInt16(low)) else { return false }
        }
        return true
    }

    private mutating func take(unit: UInt16) -> Bool {
        let isLow = (0xDC00...0xDFFF).contains(unit)
        guard unit != 0, isLow == awaitsLowSurrogate else { return false }
        awaitsLowSurrogate = (0xD800...0xDBFF).contains(unit)
        return true
    }
}
