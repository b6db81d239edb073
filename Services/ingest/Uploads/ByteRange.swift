/// What a `Range` header asks for (RFC 9110, section 14).
enum ByteRange: Hashable {
    /// No range, several, or one we do not understand: everything is sent.
    case whole
    case part(Range<Int>)
    case unsatisfiable

    init(_ header: String?, byteCount: Int) {
        self = .whole
        guard let header, header.hasPrefix("bytes=") else { return }
        let specification = header.dropFirst("bytes=".count)
        let bounds = specification.split(separator: "-", omittingEmptySubsequences: false)
        guard bounds.count == 2, let first = Self.number(bounds[0]),
            let last = Self.number(bounds[1])
        else { return }
        switch (first, last) {
        case (nil, nil): return
        case (nil, let suffix?):
            self =
                suffix == 0 || byteCount == 0
                ? .unsatisfiable : .part(max(0, byteCount - suffix)..<byteCount)
        case (let start?, _) where start >= byteCount: self = .unsatisfiable
        case (let start?, nil): self = .part(start..<byteCount)
        case (let start?, let end?):
            guard start <= end else { return }
            self = .part(start..<min(end, byteCount - 1) + 1)
        }
    }

    /// Nil when it is no number; nil within when there is none.
    private static func number(_ text: Substring) -> Int?? {
        let digits = text.drop { $0 == " " }
        if digits.isEmpty { return .some(nil) }
        guard digits.count <= 18, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else {
            return nil
        }
        return .some(Int(digits))
    }
}
