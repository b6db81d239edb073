internal import FoundationEssentials

/// The three parts of a compact JWS (RFC 7515), taken apart strictly, nothing believed yet.
struct CompactToken {
    let header: [UInt8]
    let payload: [UInt8]
    let signature: [UInt8]
    /// What the signature is over.
    let signed: [UInt8]

    init(_ token: String) throws(TokenError) {
        let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Base64URL.decode(parts[0]),
            let payload = Base64URL.decode(parts[1]), let signature = Base64URL.decode(parts[2]),
            !signature.isEmpty
        else { throw .refused(.malformed) }
        self.header = header
        self.payload = payload
        self.signature = signature
        signed = Array(token.utf8.prefix(parts[0].count + 1 + parts[1].count))
    }

    func decodeHeader<T: Decodable>(as type: T.Type) throws(TokenError) -> T {
        try Self.decode(type, from: header)
    }

    func decodePayload<T: Decodable>(as type: T.Type) throws(TokenError) -> T {
        try Self.decode(type, from: payload)
    }

    private static func decode<T: Decodable>(
        _ type: T.Type, from bytes: [UInt8]
    ) throws(TokenError) -> T {
        if JSONMembers.repeats(in: bytes) { throw .refused(.malformed) }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw .refused(.malformed)
        }
    }
}
