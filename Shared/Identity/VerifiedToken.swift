internal import Crypto
package import FoundationEssentials

/// A caller's token that held, and until when.
package struct VerifiedToken: Sendable {
    package let caller: Caller
    package let expiresAt: Date
    /// SHA-256 of the token: what caches know it by, so that they hold no token.
    package let digest: [UInt8]
}

extension TokenRules {
    private static let clockLeeway = 30.0
    /// OpenID Connect Core, section 2.
    private static let subjectByteCountMax = 255
    /// The year 33658: beyond it a number is a mistake or a trick.
    private static let secondsMax = 1e12

    /// What can be refused without a key: cheap, and says nothing to a forger he does not know.
    func admit(_ header: AccessTokenHeader) throws(TokenError) {
        guard algorithms.contains(header.alg) else { throw .refused(.algorithm) }
        guard !header.hasCritical else { throw .refused(.critical) }
        guard header.isAccessTokenType else { throw .refused(.type) }
    }

    /// The caller of a token whose signature held.
    func admit(
        _ claims: AccessTokenClaims, digest: [UInt8], now: Date
    ) throws(TokenError) -> VerifiedToken {
        let seconds = now.timeIntervalSince1970
        guard claims.issuer == issuer else { throw .refused(.issuer) }
        guard claims.audiences.contains(where: audiences.contains) else {
            throw .refused(.audience)
        }
        guard let expiresAt = claims.expiresAt, (0..<Self.secondsMax).contains(expiresAt) else {
            throw .refused(.malformed)
        }
        guard expiresAt + Self.clockLeeway > seconds else { throw .refused(.expired) }
        for instant in [claims.notBefore, claims.issuedAt] {
            guard (instant ?? 0) <= seconds + Self.clockLeeway else {
                throw .refused(.notYetValid)
            }
        }
        guard !claims.isIDToken else { throw .refused(.idToken) }
        // Keycloak's kinds, and OpenID Connect Back-Channel Logout, 2.4.
        guard !claims.isForSessions else { throw .refused(.type) }
        guard Self.isSubject(claims.subject) else { throw .refused(.subject) }
        let caller = Caller(
            sub: claims.subject, email: claims.email, name: claims.name,
            preferredUsername: claims.preferredUsername, givenName: claims.givenName,
            familyName: claims.familyName, groups: claims.groups,
            isAdmin: isAdmin(claims))
        return VerifiedToken(
            caller: caller, expiresAt: Date(timeIntervalSince1970: expiresAt), digest: digest)
    }

    private func isAdmin(_ claims: AccessTokenClaims) -> Bool {
        !adminGroup.isEmpty && claims.groups.contains(adminGroup)
            || !adminRole.isEmpty && claims.realmRoles.contains(adminRole)
    }

    private static func isSubject(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= subjectByteCountMax
            && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }
}
