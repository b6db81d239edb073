import CharacterEncoding

/// Whether bytes, in any split, are text: in Unicode as they say or show, else in one of the older
/// encodings, which have no bytes that no text has.
struct TextCheck: Sendable {
    private var utf8 = UTF8Check()
    private var utf16: UTF16Check?
    /// Whether it still can be UTF-8, and text in some encoding of single bytes.
    private var isUTF8 = true
    private var isOlder = true

    init(opening: [UInt8]) {
        let encoding =
            ByteOrderMark(opening)?.encoding ?? TextDecoding.unmarkedUTF16(opening)
        switch encoding {
        case .utf16LowByteFirst: utf16 = UTF16Check(isLowByteFirst: true)
        case .utf16HighByteFirst: utf16 = UTF16Check(isLowByteFirst: false)
        // Nobody writes documents so.
        case .utf32LowByteFirst, .utf32HighByteFirst: (isUTF8, isOlder) = (false, false)
        default: break
        }
    }

    /// At the end.
    var isText: Bool {
        if let utf16 { return utf16.isWhole }
        return isUTF8 && utf8.isWhole || isOlder
    }

    /// False as soon as it is none.
    mutating func take(_ bytes: some Collection<UInt8>) -> Bool {
        if utf16 != nil { return utf16?.take(bytes) ?? false }
        if isUTF8 { isUTF8 = utf8.take(bytes) }
        if isOlder { isOlder = !bytes.contains(where: Self.isControl) }
        return isUTF8 || isOlder
    }

    /// But for white space, and the escape and end marks of older systems.
    private static func isControl(_ byte: UInt8) -> Bool {
        byte < 0x20 && !(0x09...0x0D).contains(byte) && byte != 0x1B && byte != 0x1A
            || byte == 0x7F
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
