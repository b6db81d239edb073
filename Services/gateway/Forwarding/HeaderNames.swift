/// Names of headers, found without regard to case; `_` is taken as `-`, as some servers do.
struct HeaderNames: Sendable {
    /// By their number of bytes.
    private var names: [[[UInt8]]] = []
    private let prefixes: [[UInt8]]

    /// - Parameter prefixes: in lower case, and with `-`.
    init(_ names: some Sequence<String>, prefixes: [String] = []) {
        self.prefixes = prefixes.map { Array($0.utf8) }
        for name in names {
            let bytes = name.utf8.map(Self.folded)
            while self.names.count <= bytes.count { self.names.append([]) }
            self.names[bytes.count].append(bytes)
        }
    }

    /// Whether it is one of them or begins like one of the prefixes.
    func contain(_ name: String) -> Bool {
        let name = name.utf8
        let candidates = name.count < names.count ? names[name.count] : []
        return candidates.contains { Self.begins(name, $0) }
            || prefixes.contains { Self.begins(name, $0) }
    }

    /// Whether it begins so.
    private static func begins(_ name: String.UTF8View, _ prefix: [UInt8]) -> Bool {
        var bytes = name.makeIterator()
        for expected in prefix {
            guard let byte = bytes.next(), folded(byte) == expected else { return false }
        }
        return true
    }

    private static func folded(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
        case UInt8(ascii: "_"): UInt8(ascii: "-")
        default: byte
        }
    }
}
