/// Finds `[n]` in text that comes in pieces, wherever the pieces are cut.
///
/// Text passes at once; only what may be the beginning of a marker, and white space before it, is
/// held back, a few characters at most. A marker that points nowhere goes, with the space before it.
struct CitationMarkers: Sendable {
    enum Piece: Sendable, Hashable {
        case text(String)
        /// 1-based. It stands in the answer as `[n]`.
        case marker(Int)
    }

    /// `[`, a few numbers with commas, `]`.
    private static let lengthMax = 24

    private let sourceCount: Int
    /// False: markers are taken out, all of them.
    private let keepsMarkers: Bool
    private var held = ""

    init(sourceCount: Int, keepsMarkers: Bool) {
        self.sourceCount = sourceCount
        self.keepsMarkers = keepsMarkers
    }

    mutating func feed(_ text: String) -> [Piece] {
        held += text
        return settle(isEnd: false)
    }

    /// What was held back, now that nothing follows.
    mutating func finish() -> [Piece] { settle(isEnd: true) }

    /// The text without any marker.
    static func removed(from text: String) -> String {
        var markers = CitationMarkers(sourceCount: 0, keepsMarkers: false)
        let pieces = markers.feed(text) + markers.finish()
        return pieces.reduce(into: "") { plain, piece in
            if case .text(let part) = piece { plain += part }
        }
    }

    private mutating func settle(isEnd: Bool) -> [Piece] {
        var pieces: [Piece] = []
        var plain = ""
        var rest = held[...]
        scanning: while let bracket = rest.firstIndex(of: "[") {
            switch Self.marker(in: rest[bracket...]) {
            case .none:
                let after = rest.index(after: bracket)
                plain += rest[..<after]
                rest = rest[after...]
            case .undecided:
                if isEnd { break scanning }
                let cut = Self.endWithoutSpace(rest[..<bracket])
                plain += rest[..<cut]
                rest = rest[cut...]
                append(plain, to: &pieces)
                held = String(rest)
                return pieces
            case .numbers(let numbers, let end):
                let known = numbers.filter { (1...max(1, sourceCount)).contains($0) }
                let isKept = keepsMarkers && sourceCount > 0 && !known.isEmpty
                let cut = isKept ? bracket : Self.endWithoutSpace(rest[..<bracket])
                plain += rest[..<cut]
                if isKept {
                    append(plain, to: &pieces)
                    plain = ""
                    pieces += known.map { .marker($0) }
                }
                rest = rest[end...]
            }
        }
        let cut = isEnd ? rest.endIndex : Self.endWithoutSpace(rest)
        plain += rest[..<cut]
        append(plain, to: &pieces)
        held = String(rest[cut...])
        return pieces
    }

    private func append(_ text: String, to pieces: inout [Piece]) {
        if !text.isEmpty { pieces.append(.text(text)) }
    }

    private enum Finding {
        case none
        case undecided
        case numbers([Int], end: Substring.Index)
    }

    /// `text` begins with the bracket.
    private static func marker(in text: Substring) -> Finding {
        var numbers: [Int] = []
        var digits = ""
        var length = 1
        var index = text.index(after: text.startIndex)
        while index < text.endIndex {
            let character = text[index]
            index = text.index(after: index)
            length += 1
            if length > lengthMax { return .none }
            switch character {
            case "0"..."9" where character.isASCII:
                digits.append(character)
                if digits.count > 3 { return .none }
            case ",", ";", " ":
                if let number = Int(digits) { numbers.append(number) }
                digits = ""
            case "]":
                if let number = Int(digits) { numbers.append(number) }
                return numbers.isEmpty ? .none : .numbers(numbers, end: index)
            default:
                return .none
            }
        }
        return .undecided
    }

    private static func endWithoutSpace(_ text: Substring) -> Substring.Index {
        var end = text.endIndex
        while end > text.startIndex, text[text.index(before: end)] == " " {
            end = text.index(before: end)
        }
        return end
    }
}
