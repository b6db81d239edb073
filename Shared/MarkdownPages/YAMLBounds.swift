/// Says which YAML may be parsed: that of strangers can be made to take for ever, or to exhaust the
/// stack and with it the process.
///
/// - Yams goes down into what is nested by calling itself.
/// - It compares the keys of a mapping with all that is in them, and what an alias repeats counts
///   anew each time: forty lines that each name the one before twice are a million million values.
///
/// Scalars are looked at, not characters: an accent after a bracket hides it from the latter.
struct YAMLBounds {
    private static let byteCountMax = 32 << 10
    private static let lineByteCountMax = 2_000
    private static let nestingMax = 64

    private var byteCount = 0
    /// Brackets and keys of several lines (`? `), wherever they are closed.
    private var nestingCount = 0

    static func allow(_ lines: some Sequence<Substring>) -> Bool {
        var bounds = Self()
        return lines.allSatisfy { bounds.allow($0) }
    }

    private mutating func allow(_ line: Substring) -> Bool {
        byteCount += line.utf8.count + 1
        guard line.utf8.count <= Self.lineByteCountMax, byteCount <= Self.byteCountMax else {
            return false
        }
        let scalars = Array(line.unicodeScalars)
        guard scalars.count(where: { $0 == "-" || $0 == "?" }) <= Self.nestingMax else {
            return false
        }
        // Whether what comes next may be the beginning of a value or key.
        var isBeginning = true
        for (index, scalar) in scalars.enumerated() {
            let next: Unicode.Scalar = index + 1 < scalars.count ? scalars[index + 1] : "\n"
            if scalar == "[" || scalar == "{" { nestingCount += 1 }
            if isBeginning {
                if scalar == "?", next.properties.isWhitespace { nestingCount += 1 }
                if Self.isReference(scalar, next) { return false }
            }
            isBeginning = Self.isBeginning(after: scalar, isBeginning)
        }
        return nestingCount <= Self.nestingMax
    }

    /// An anchor `&a`, an alias `*a` or the key `<<`, which takes a whole mapping over.
    private static func isReference(_ scalar: Unicode.Scalar, _ next: Unicode.Scalar) -> Bool {
        switch scalar {
        case "&", "*": !next.properties.isWhitespace
        case "<": next == "<"
        default: false
        }
    }

    private static func isBeginning(after scalar: Unicode.Scalar, _ before: Bool) -> Bool {
        switch scalar {
        // White space, and the mark that YAML allows at the beginning of any line.
        case " ", "\t", "\u{FEFF}": before
        // What YAML takes for the end of a line.
        case "\r", "\n", "\u{85}", "\u{2028}", "\u{2029}": true
        case "[", "{", ",", ":", "-", "?": true
        default: false
        }
    }
}
