internal import Crypto
package import FoundationEssentials

/// The id of one noun: a UUID that cannot be mistaken for another noun's.
///
/// Written in lower case everywhere, as the API promises.
package struct Identifier<Noun>: RawRepresentable, Hashable, Sendable, Codable,
    CustomStringConvertible
{
    package let rawValue: UUID

    package init(rawValue: UUID) { self.rawValue = rawValue }

    /// A new random id.
    package init() { rawValue = UUID() }

    /// Nil when the text is no UUID; callers answer that as "unknown".
    package init?(_ text: some StringProtocol) {
        guard let uuid = UUID(uuidString: String(text)) else { return nil }
        rawValue = uuid
    }

    /// The same id for the same name, always: UUID version 5 (RFC 9562).
    package init(namespace: UUID, name: String) {
        rawValue = UUID(namespace: namespace, name: name)
    }

    package var description: String { rawValue.uuidString.lowercased() }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let uuid = UUID(uuidString: text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not a UUID"))
        }
        rawValue = uuid
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension UUID {
    /// UUID version 5 (RFC 9562): SHA-1 of namespace and name.
    package init(namespace: UUID, name: String) {
        var hash = Insecure.SHA1()
        withUnsafeBytes(of: namespace.uuid) { hash.update(bufferPointer: $0) }
        hash.update(data: Array(name.utf8))
        var bytes = Array(hash.finalize().prefix(16))
        bytes[6] = (bytes[6] & 0x0F) | 0x50
        bytes[8] = (bytes[8] & 0x3F) | 0x80
        self = bytes.withUnsafeBytes { UUID(uuid: $0.load(as: uuid_t.self)) }
    }
}
