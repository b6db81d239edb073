import Domain

/// The addresses that stand in the sources of an answer, as they are written there.
struct KnownLinks: Sendable {
    private var addresses: Set<String> = []
    /// Of the mail addresses.
    private var mailDomains: Set<String> = []

    init(_ sources: [NumberedSource]) {
        for source in sources {
            for address in [source.url, source.path].compactMap(\.self) {
                take(address: Array(address.utf8)[...])
            }
            take(source.chunk.text)
        }
    }

    /// Those in a text.
    init(in text: String) { take(text) }

    func contains(_ address: ArraySlice<UInt8>) -> Bool {
        addresses.contains(String(decoding: address, as: UTF8.self))
    }

    func containsMail(at domain: ArraySlice<UInt8>) -> Bool {
        mailDomains.contains(String(decoding: domain, as: UTF8.self))
    }

    private mutating func take(_ text: String) {
        let bytes = Array(text.utf8)
        let syntax = LinkSyntax(bytes)
        for position in bytes.indices {
            switch bytes[position] {
            case UInt8(ascii: "h"), UInt8(ascii: "H"), UInt8(ascii: "w"), UInt8(ascii: "W"),
                UInt8(ascii: "f"), UInt8(ascii: "F"):
                if case .found(let address, _) = syntax.url(at: position, isEnd: true) {
                    take(address: bytes[address])
                }
            case UInt8(ascii: "(") where position > 0 && bytes[position - 1] == UInt8(ascii: "]"):
                if case .found(let address, _) = syntax.destination(at: position) {
                    take(address: bytes[address])
                }
            case UInt8(ascii: "@"):
                if case .found(let domain, _) = syntax.mailDomain(at: position, isEnd: true) {
                    mailDomains.insert(String(decoding: bytes[domain], as: UTF8.self))
                }
            default: continue
            }
        }
    }

    /// An address that leads to a page, and can hide nothing: a source may be hostile itself.
    private mutating func take(address: ArraySlice<UInt8>) {
        let text = String(decoding: address, as: UTF8.self)
        let scheme = text.prefix { $0 != ":" && $0 != "/" }.lowercased()
        let hasScheme = text.dropFirst(scheme.count).hasPrefix(":")
        guard !hasScheme || ["http", "https", "ftp"].contains(scheme),
            !text.isEmpty, !text.utf8.contains(where: { $0 <= 0x20 || "<>\"`\\".utf8.contains($0) })
        else { return }
        addresses.insert(text)
    }
}
