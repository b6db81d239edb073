/// Where links, images, tags and bare addresses stand in Markdown (CommonMark 0.31, and GitHub's
/// extension for bare addresses), over bytes: all that matters is ASCII.
struct LinkSyntax {
    enum Finding {
        case none
        /// It may become one.
        case undecided
        /// What is in it, and where the whole ends.
        case found(Range<Int>, end: Int)
    }

    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    static func isLetter(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    /// Whether a destination can be more than a word: a path, an address, or one that is disguised.
    static func mayLead(_ address: ArraySlice<UInt8>) -> Bool {
        address.contains { "/:.\\&#?@%".utf8.contains($0) }
    }

    /// The words in the brackets that begin here.
    func label(at bracket: Int) -> Finding {
        var depth = 0
        var position = bracket
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 { return .found((bracket + 1)..<position, end: position + 1) }
            case 0x0A where bytes[position - 1] == 0x0A:
                // A paragraph ends, and no link goes beyond it.
                return .none
            default: break
            }
            position += 1
        }
        return .undecided
    }

    /// The address in the parentheses that begin here, perhaps with a title after it.
    func destination(at parenthesis: Int) -> Finding {
        var position = skipSpace(from: parenthesis + 1)
        guard position < bytes.count else { return .undecided }
        let address: Range<Int>
        switch place(at: position) {
        case .none: return .none
        case .undecided: return .undecided
        case .found(let range, let end):
            address = range
            position = skipSpace(from: end)
        }
        guard position < bytes.count else { return .undecided }
        switch title(at: position) {
        case .none: return .none
        case .undecided: return .undecided
        case .found(_, let end): position = skipSpace(from: end)
        }
        guard position < bytes.count else { return .undecided }
        return bytes[position] == UInt8(ascii: ")") ? .found(address, end: position + 1) : .none
    }

    private func place(at start: Int) -> Finding {
        if bytes[start] == UInt8(ascii: "<") {
            var position = start + 1
            while position < bytes.count {
                switch bytes[position] {
                case UInt8(ascii: ">"):
                    return .found((start + 1)..<position, end: position + 1)
                case 0x0A, 0x0D: return .none
                default: position += 1
                }
            }
            return .undecided
        }
        var depth = 0
        var position = start
        while position < bytes.count {
            switch bytes[position] {
            case 0...0x20: return .found(start..<position, end: position)
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"):
                if depth == 0 { return .found(start..<position, end: position) }
                depth -= 1
            default: break
            }
            position += 1
        }
        return .undecided
    }

    /// None of it is a title too.
    private func title(at start: Int) -> Finding {
        let closing: UInt8
        switch bytes[start] {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): closing = bytes[start]
        case UInt8(ascii: "("): closing = UInt8(ascii: ")")
        case UInt8(ascii: ")"): return .found(start..<start, end: start)
        default: return .none
        }
        guard let end = bytes[(start + 1)...].firstIndex(of: closing) else { return .undecided }
        return .found((start + 1)..<end, end: end + 1)
    }

    /// A tag that only forms text: without attributes, it can lead nowhere. Empty for what may be
    /// another tag.
    func plainTag(at bracket: Int) -> Finding {
        guard bracket + 1 < bytes.count else { return .undecided }
        let next = bytes[bracket + 1]
        guard Self.isLetter(next) || "/!?".utf8.contains(next) else { return .none }
        let nothing = Finding.found(bracket..<bracket, end: bracket + 1)
        for position in (bracket + 1)..<min(bracket + Self.plainTagByteCountMax, bytes.count) {
            let byte = bytes[position]
            if byte == UInt8(ascii: ">") {
                let content = (bracket + 1)..<position
                return Self.isPlain(bytes[content]) ? .found(content, end: position + 1) : nothing
            }
            let isOfName = Self.isLetter(byte) || (0x30...0x39).contains(byte)
            guard isOfName || byte == UInt8(ascii: "/") || byte == 0x20 else { return nothing }
        }
        return bytes.count - bracket < Self.plainTagByteCountMax ? .undecided : nothing
    }

    private static let plainTagByteCountMax = 16

    private static func isPlain(_ content: ArraySlice<UInt8>) -> Bool {
        var name = content
        if name.first == UInt8(ascii: "/") { name = name.dropFirst() }
        if name.last == UInt8(ascii: "/") { name = name.dropLast() }
        if name.last == 0x20 { name = name.dropLast() }
        return plainTags.contains(String(decoding: name, as: UTF8.self).lowercased())
    }

    private static let plainTags: Set<String> = [
        "b", "i", "u", "s", "em", "strong", "del", "ins", "mark", "sub", "sup", "br", "hr", "p",
        "ul", "ol", "li", "dl", "dt", "dd", "code", "pre", "kbd", "blockquote", "table", "thead",
        "tbody", "tr", "th", "td", "h1", "h2", "h3", "h4", "h5", "h6", "details", "summary",
    ]

    /// A bare address: `http://…`, `https://…`, `ftp://…` or `www.…`, without the punctuation after
    /// it. Escapes and entities of the colon count: some renderers look again at what they mean.
    ///
    /// - Parameter isEnd: nothing follows.
    func url(at start: Int, isEnd: Bool) -> Finding {
        var isBegun = false
        for opening in Self.openings {
            switch matches(opening, at: start) {
            case true?:
                return address(from: start, after: start + opening.count, isEnd: isEnd)
            case nil: isBegun = true
            case false?: break
            }
        }
        return isBegun && !isEnd ? .undecided : .none
    }

    private static let openings = [
        "http://", "https://", "ftp://", "www.", "http\\", "https\\", "ftp\\", "www\\", "http&",
        "https&", "ftp&", "www&",
    ].map { Array($0.utf8) }

    /// Nil when the bytes end before.
    private func matches(_ opening: [UInt8], at start: Int) -> Bool? {
        for (offset, expected) in opening.enumerated() {
            guard start + offset < bytes.count else { return nil }
            let byte = bytes[start + offset]
            let small = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
            if small != expected { return false }
        }
        return true
    }

    private func address(from start: Int, after opening: Int, isEnd: Bool) -> Finding {
        var end = opening
        while end < bytes.count, !Self.isSpace(bytes[end]), bytes[end] != UInt8(ascii: "<") {
            end += 1
        }
        if end == bytes.count, !isEnd { return .undecided }
        return .found(
            start..<trimmed(start..<end, from: opening), end: trimmed(start..<end, from: opening))
    }

    /// Where the address ends without the punctuation after it.
    private func trimmed(_ address: Range<Int>, from least: Int) -> Int {
        var end = address.upperBound
        while end > least {
            if Self.isTrailing(bytes[end - 1], in: bytes[address.lowerBound..<end]) {
                end -= 1
            } else if let count = Self.trailingSignByteCount(bytes[least..<end]) {
                end -= count
            } else {
                return end
            }
        }
        return end
    }

    /// A closing parenthesis belongs to the address if one was opened in it.
    private static func isTrailing(_ byte: UInt8, in address: ArraySlice<UInt8>) -> Bool {
        if byte == UInt8(ascii: ")") {
            return address.count { $0 == byte } > address.count { $0 == UInt8(ascii: "(") }
        }
        return ".,;:!?'*_~]}\"`>".utf8.contains(byte)
    }

    private static func trailingSignByteCount(_ bytes: ArraySlice<UInt8>) -> Int? {
        trailingSigns.first { bytes.reversed().starts(with: $0.reversed()) }?.count
    }

    private static let trailingSigns = ["»", "”", "’", "“", "…", "–", "—", "\u{A0}"].map {
        Array($0.utf8)
    }

    /// What stands after the `@` of a mail address.
    ///
    /// - Parameter isEnd: nothing follows.
    func mailDomain(at sign: Int, isEnd: Bool) -> Finding {
        guard bytes[sign] == UInt8(ascii: "@") else { return .none }
        var end = sign + 1
        while end < bytes.count, Self.isOfDomain(bytes[end]) { end += 1 }
        if end == bytes.count, !isEnd { return .undecided }
        while end > sign + 1, ".-_".utf8.contains(bytes[end - 1]) { end -= 1 }
        return end > sign + 1 ? .found((sign + 1)..<end, end: end) : .none
    }

    private static func isOfDomain(_ byte: UInt8) -> Bool {
        isLetter(byte) || (0x30...0x39).contains(byte) || ".-_".utf8.contains(byte)
    }

    private func skipSpace(from start: Int) -> Int {
        var position = start
        while position < bytes.count, Self.isSpace(bytes[position]) { position += 1 }
        return position
    }
}
