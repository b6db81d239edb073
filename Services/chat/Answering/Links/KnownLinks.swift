import Domain

/// The addresses that stand in the sources of an answer, as they are written there.
struct KnownLinks: Sendable {
    private var addresses: Set<String> = []

    init(_ sources: [NumberedSource]) {
        for source in sources {
            for address in [source.url, source.path].compactMap(\.self) {
                addresses.insert(address)
            }
            take(source.chunk.text)
        }
    }

    /// Those in a text.
    init(in text: String) { take(text) }

    func contains(_ address: ArraySlice<UInt8>) -> Bool {
        addresses.contains(String(decoding: address, as: UTF8.self))
    }

    private mutating func take(_ text: String) {
        let bytes = Array(text.utf8)
        let syntax = LinkSyntax(bytes)
        for position in bytes.indices {
            let finding: LinkSyntax.Finding
            switch bytes[position] {
            case UInt8(ascii: "h"), UInt8(ascii: "H"), UInt8(ascii: "w"), UInt8(ascii: "W"):
                finding = syntax.url(at: position, isEnd: true)
            case UInt8(ascii: "(") where position > 0 && bytes[position - 1] == UInt8(ascii: "]"):
                finding = syntax.destination(at: position)
            default: continue
            }
            if case .found(let address, _) = finding {
                addresses.insert(String(decoding: bytes[address], as: UTF8.self))
            }
        }
    }
}
