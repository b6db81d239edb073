import FoundationEssentials
import Identity

/// Internal tokens of one event loop, made once for half of their life.
///
/// Signing costs 50 µs; a caller's next request finds the token here.
final class InternalTokens {
    private struct Key: Hashable {
        let digest: [UInt8]
        let upstream: Upstream
    }

    private struct Entry {
        let authorization: String
        let renewAt: Date
    }

    /// About 1 KiB each.
    private static let countMax = 4096

    private let issuer: InternalTokenIssuer
    private var entries: [Key: Entry] = [:]

    init(issuer: InternalTokenIssuer) { self.issuer = issuer }

    /// What the `Authorization` header to a service says.
    func authorization(
        for verified: VerifiedToken, upstream: Upstream, now: Date
    ) throws -> String {
        let key = Key(digest: verified.digest, upstream: upstream)
        if let entry = entries[key], entry.renewAt > now { return entry.authorization }
        let token = try issuer.token(for: verified.caller, audience: upstream.rawValue)
        let authorization = "Bearer " + token
        if entries.count >= Self.countMax { forgetOld(now: now) }
        entries[key] = Entry(
            authorization: authorization, renewAt: now + InternalTokenIssuer.lifetime / 2)
        return authorization
    }

    private func forgetOld(now: Date) {
        entries = entries.filter { $0.value.renewAt > now }
        if entries.count >= Self.countMax { entries.removeAll() }
    }
}
