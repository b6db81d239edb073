internal import Crypto
package import FoundationEssentials
internal import Synchronization

/// Reads what the gateway says about the caller. A service believes nothing else.
package final class InternalTokenVerifier: Sendable {
    private struct Verified {
        let caller: Caller
        let expiresAt: Date
    }

    /// A user's token is reissued every few minutes; this is for that many users at once.
    private static let cachedCountMax = 4096
    /// Several times the largest claims an issuer can put into a header of the gateway.
    private static let byteCountMax = 32_768
    private static let leeway: TimeInterval = 30

    private let keys: [String: Curve25519.Signing.PublicKey]
    private let audience: String
    private let now: @Sendable () -> Date
    private let cache = Mutex(
        BoundedCache<SHA256.Digest, Verified>(countMax: InternalTokenVerifier.cachedCountMax))

    /// `publicKeys` are base64 of 32-byte Ed25519 keys; several while one is being replaced.
    package init(
        publicKeys: [String], audience: String, now: @escaping @Sendable () -> Date = { Date() }
    ) throws(InternalKeys.Problem) {
        guard !publicKeys.isEmpty else { throw .noKeys }
        var keys: [String: Curve25519.Signing.PublicKey] = [:]
        for text in publicKeys {
            let key = try InternalKeys.verifyingKey(text)
            keys[InternalKeys.name(of: key)] = key
        }
        self.keys = keys
        self.audience = audience
        self.now = now
    }

    package func verify(_ token: String) async throws(TokenError) -> Caller {
        guard token.utf8.count <= Self.byteCountMax else { throw .refused(.tooLarge) }
        let digest = SHA256.hash(data: Array(token.utf8))
        if let known = cache.withLock({ $0.find(digest) }) {
            guard known.expiresAt > now() else {
                cache.withLock { $0.remove(digest) }
                throw .refused(.expired)
            }
            return known.caller
        }
        let verified = try read(CompactToken(token))
        cache.withLock { $0.insert(verified, for: digest) }
        return verified.caller
    }

    private func read(_ token: CompactToken) throws(TokenError) -> Verified {
        let header = try token.decodeHeader(as: InternalHeader.self)
        guard header.alg == "EdDSA", header.typ == InternalClaims.type else {
            throw .refused(.algorithm)
        }
        guard let key = keys[header.kid] else { throw .refused(.unknownKey) }
        guard key.isValidSignature(token.signature, for: token.signed) else {
            throw .refused(.signature)
        }
        let claims = try token.decodePayload(as: InternalClaims.self)
        guard claims.aud == audience else { throw .refused(.audience) }
        guard !claims.caller.sub.isEmpty else { throw .refused(.subject) }
        let expiresAt = Date(timeIntervalSince1970: Double(claims.exp)) + Self.leeway
        guard expiresAt > now() else { throw .refused(.expired) }
        return Verified(caller: claims.caller, expiresAt: expiresAt)
    }
}
