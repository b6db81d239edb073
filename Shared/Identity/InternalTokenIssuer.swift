internal import Crypto
package import FoundationEssentials

/// Signs what the gateway tells a service about the caller. Only the gateway has one.
package struct InternalTokenIssuer: Sendable {
    /// Long enough to be reused from a cache, short enough not to matter when stolen.
    package static let lifetime: TimeInterval = 300

    private let key: Curve25519.Signing.PrivateKey
    private let encodedHeader: String
    private let now: @Sendable () -> Date

    /// `privateKey` is the base64 of a 32-byte Ed25519 seed.
    package init(
        privateKey: String, now: @escaping @Sendable () -> Date = { Date() }
    ) throws(InternalKeys.Problem) {
        key = try InternalKeys.signingKey(privateKey)
        let name = InternalKeys.name(of: key.publicKey)
        let header = #"{"alg":"EdDSA","kid":"\#(name)","typ":"\#(InternalClaims.type)"}"#
        encodedHeader = Base64URL.encode(Array(header.utf8))
        self.now = now
    }

    /// A token for one service, which refuses it when it is not the audience.
    ///
    /// Half of its life is for the issuer's cache, the other half for the way and skewed clocks.
    package func token(for caller: Caller, audience: String) throws -> String {
        let claims = InternalClaims(
            aud: audience, exp: Int(now().timeIntervalSince1970 + Self.lifetime), caller: caller)
        let payload = Base64URL.encode(try JSONEncoder().encode(claims))
        let signed = encodedHeader + "." + payload
        let signature = try key.signature(for: Array(signed.utf8))
        return signed + "." + Base64URL.encode(signature)
    }
}

/// The payload of an internal token.
struct InternalClaims: Codable {
    static let type = "celine-internal+jwt"

    let aud: String
    /// Unix seconds.
    let exp: Int
    let caller: Caller
}

/// The header of an internal token. Members beyond these mean that it is not ours.
struct InternalHeader: Codable {
    let alg: String
    let kid: String
    let typ: String
}
