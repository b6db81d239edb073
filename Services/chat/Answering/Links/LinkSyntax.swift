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
            case UInt8(ascii: "\n") where position > bracket && bytes[position - 1] == 0x0A:
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

    /// The address after a name and a colon, alone on its line but for a title. The line's end stays.
    func definition(at start: Int) -> Finding {
        var position = skipSpace(from: start)
        guard position < bytes.count else { return .undecided }
        let address: Range<Int>
        switch place(at: position, inParentheses: false) {
        case .none: return .none
        case .undecided: return .undecided
        case .found(let range, let end):
            address = range
            position = end
        }
        guard let lineEnd = bytes[position...].firstIndex(of: 0x0A) else { return .undecided }
        let rest = bytes[position..<lineEnd].drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
        let isTitle = rest.first.map { "\"'(".utf8.contains($0) } ?? true
        return isTitle ? .found(address, end: lineEnd) : .none
    }

    private func place(at start: Int, inParentheses: Bool = true) -> Finding {
        if bytes[start] == UInt8(ascii: "<") {
            var position = start + 1
            while position < bytes.count {
                switch bytes[position] {
                case UInt8(ascii: ">"):
                    return .found((start + 1)..<position, end: position + 1)
                case 0x0A: return .none
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
            case UInt8(ascii: "(") where inParentheses: depth += 1
            case UInt8(ascii: ")") where inParentheses:
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

    /// What stands between `<` and `>`, if it may be a tag or an address.
    func tag(at bracket: Int) -> Finding {
        guard bracket + 1 < bytes.count else { return .undecided }
        let next = bytes[bracket + 1]
        guard Self.isLetter(next) || "/!?".utf8.contains(next) else { return .none }
        guard let end = bytes[bracket...].firstIndex(of: UInt8(ascii: ">")) else {
            return .undecided
        }
        return .found((bracket + 1)..<end, end: end + 1)
    }

    /// A tag that only forms text: without attributes, it can lead nowhere.
    static func isPlainTag(_ content: ArraySlice<UInt8>) -> Bool {
        let name = String(decoding: content, as: UTF8.self).lowercased()
            .split(separator: "/").joined().filter { $0 != " " }
        return plainTags.contains(name)
    }

    private static let plainTags: Set<String> = [
        "b", "i", "u", "s", "em", "strong", "del", "ins", "mark", "sub", "sup", "br", "hr", "p",
        "ul", "ol", "li", "dl", "dt", "dd", "code", "pre", "kbd", "blockquote", "table", "thead",
        "tbody", "tr", "th", "td", "h1", "h2", "h3", "h4", "h5", "h6", "details", "summary",
    ]

    /// `scheme:…` or a mail address, as between angle brackets.
    static func isAddress(_ content: ArraySlice<UInt8>) -> Bool {
        !content.contains(0x20) && content.contains { ":@".utf8.contains($0) }
    }

    /// A bare address: `http://…`, `https://…` or `www.…`, without the punctuation after it.
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

    private static let openings = ["http://", "https://", "www."].map { Array($0.utf8) }

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
        while end < bytes.count, bytes[end] > 0x20, !"<>\"`".utf8.contains(bytes[end]) {
            end += 1
        }
        if end == bytes.count, !isEnd { return .undecided }
        while end > opening, Self.isTrailing(bytes[end - 1], in: bytes[start..<end]) { end -= 1 }
        return .found(start..<end, end: end)
    }

    /// A closing parenthesis belongs to the address if one was opened in it.
    private static func isTrailing(_ byte: UInt8, in address: ArraySlice<UInt8>) -> Bool {
        if byte == UInt8(ascii: ")") {
            return address.count { $0 == byte } > address.count { $0 == UInt8(ascii: "(") }
        }
        return ".,;:!?'*_~]}".utf8.contains(byte)
    }

    private func skipSpace(from start: Int) -> Int {
        var position = start
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) {
            position += 1
        }
        return position
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
