internal import Crypto
package import FoundationEssentials
internal import Synchronization

/// Verifies callers' tokens against the issuer's keys.
///
/// What once held is remembered by digest: never past its expiry, never past a change of keys.
package final class TokenVerifier: Sendable {
    /// With what is forwarded, the header a service must accept stays under 32 KiB.
    package static let byteCountMax = 12_288
    /// A few hundred bytes each.
    private static let cachedCountMax = 16_384

    private struct Known {
        let token: VerifiedToken
        let keysVersion: Int
    }

    private let rules: TokenRules
    private let keys: IssuerKeys
    private let now: @Sendable () -> Date
    private let cache = Mutex(
        BoundedCache<[UInt8], Known>(countMax: TokenVerifier.cachedCountMax))

    package init(
        rules: TokenRules, keys: IssuerKeys, now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.rules = rules
        self.keys = keys
        self.now = now
    }

    /// Whether any token can be verified at all.
    package var isReady: Bool { keys.current != nil }

    package func verify(_ token: String) async throws(TokenError) -> VerifiedToken {
        if let known = try verifyKnown(token) { return known }
        await keys.refreshForUnknownKey()
        if let known = try verifyKnown(token) { return known }
        throw isReady ? .refused(.unknownKey) : .unavailable
    }

    /// Nil when the keys at hand do not include the token's: then only `verify` can tell.
    ///
    /// Blocks for some 50 µs at most, so an event loop may call it.
    package func verifyKnown(_ token: String) throws(TokenError) -> VerifiedToken? {
        guard token.utf8.count <= Self.byteCountMax else { throw .refused(.tooLarge) }
        let digest = Array(SHA256.hash(data: Array(token.utf8)))
        let current = keys.current
        if let known = cache.withLock({ $0.find(digest) }) {
            if known.keysVersion == current?.version, known.token.expiresAt > now() {
                return known.token
            }
            cache.withLock { $0.remove(digest) }
        }
        let parts = try CompactToken(token)
        let header = try parts.decodeHeader(as: AccessTokenHeader.self)
        try rules.admit(header)
        guard let current else { return nil }
        switch current.keySet.isSigned(parts, by: header.kid, algorithm: header.alg) {
        case nil: return nil
        case false?: throw .refused(.signature)
        case true?: break
        }
        let claims = try parts.decodePayload(as: AccessTokenClaims.self)
        let verified = try rules.admit(claims, digest: digest, now: now())
        cache.withLock {
            $0.insert(Known(token: verified, keysVersion: current.version), for: digest)
        }
        return verified
    }
}
