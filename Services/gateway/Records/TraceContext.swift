import ServiceRuntime

/// Where a request stands in a distributed trace (W3C Trace Context, level 1).
struct TraceContext: Sendable, Equatable {
    /// 32 hexadecimal digits.
    let traceID: String
    /// Of our own span, 16 hexadecimal digits.
    let spanID: String
    /// Two hexadecimal digits: whether somebody before us records it.
    let flags: String
    /// Whether the caller began it: what else it says of the trace is passed on.
    let isContinued: Bool

    /// Goes on with the caller's trace, or begins one that nobody records.
    init(continuing header: String?, using generator: inout some RandomNumberGenerator) {
        spanID = Self.digits(16, using: &generator)
        guard let header, let parts = Self.parse(header) else {
            (traceID, flags, isContinued) = (Self.digits(32, using: &generator), "00", false)
            return
        }
        (traceID, flags, isContinued) = (parts.traceID, parts.flags, true)
    }

    var header: String { "00-\(traceID)-\(spanID)-\(flags)" }

    private static func parse(_ header: String) -> (traceID: String, flags: String)? {
        let parts = header.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, zip(parts, [2, 32, 16, 2]).allSatisfy(isDigits), parts[0] != "ff",
            // Version 00 has four fields; a later one may have more.
            parts.count == 4 || parts[0] != "00", header.utf8.count <= 512,
            parts[1].contains(where: { $0 != "0" }), parts[2].contains(where: { $0 != "0" })
        else { return nil }
        return (String(parts[1]), String(parts[3]))
    }

    private static func isDigits(_ text: Substring, _ count: Int) -> Bool {
        text.utf8.count == count
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private static func digits(
        _ count: Int, using generator: inout some RandomNumberGenerator
    ) -> String {
        String(unsafeUninitializedCapacity: count) { buffer in
            var bits: UInt64 = 0
            for index in 0..<count {
                if index % 16 == 0 { bits = .random(in: 1 ... .max, using: &generator) }
                buffer[index] = bits.hexadecimalDigit(index % 16)
            }
            return count
        }
    }
}
