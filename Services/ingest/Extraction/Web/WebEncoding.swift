import CharacterEncoding

/// A web page's characters: as a mark at its beginning says, else as who sent it says, else as the
/// page says itself, else as they look.
enum WebEncoding {
    /// Browsers look no further than the first 1024 bytes; pages are not that careful.
    private static let declarationByteCount = 4096

    static func decode(
        _ bytes: [UInt8], declared: String? = nil
    ) throws(ExtractionFailure) -> String {
        if let mark = ByteOrderMark(bytes) {
            return mark.encoding.decode(Array(bytes.dropFirst(mark.byteCount)))
        }
        if bytes.contains(0), TextDecoding.unmarkedUTF16(bytes) == nil { throw .corrupt }
        let names = [declared, declaration(bytes)].lazy.compactMap { $0 }
        guard let encoding = names.compactMap({ CharacterEncoding(named: $0) }).first else {
            return TextDecoding.decode(bytes)
        }
        return (isWide(encoding) ? .utf8 : encoding).decode(bytes)
    }

    /// A page whose declaration could be read is not in these, whatever it says.
    private static func isWide(_ encoding: CharacterEncoding) -> Bool {
        encoding.name.hasPrefix("UTF-16") || encoding.name.hasPrefix("UTF-32")
    }

    /// The name after `charset=` of a `meta`, or after `encoding=` of an XML declaration.
    private static func declaration(_ bytes: [UInt8]) -> String? {
        let start = String(
            decoding: bytes.prefix(declarationByteCount).map { $0 < 0x80 ? $0 : 0x20 },
            as: UTF8.self
        ).lowercased()
        if start.hasPrefix("<?xml"), let end = start.firstRange(of: "?>") {
            return name(after: "encoding", in: start[..<end.lowerBound])
                ?? name(after: "charset", in: start[...])
        }
        return name(after: "charset", in: start[...])
    }

    private static func name(after key: String, in text: Substring) -> String? {
        guard let range = text.firstRange(of: key) else { return nil }
        let value = text[range.upperBound...].drop { $0 == " " }
        guard value.first == "=" else { return nil }
        let name = value.dropFirst().drop { $0 == " " || $0 == "\"" || $0 == "'" }
            .prefix { $0.isLetter || $0.isNumber || "-_:.".contains($0) }
        return name.isEmpty ? nil : String(name)
    }
}
