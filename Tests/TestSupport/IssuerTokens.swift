import Foundation
import JWTKit

/// Access tokens as the local issuer would sign them, for any subject: the issuer's own token
/// endpoint refuses further claims, so its key file is used directly.
package struct IssuerTokens: Sendable {
    let keys: JWTKeyCollection
    let keyID: String
    let issuer: String

    /// `keyFile` holds the issuer's private RSA key in PEM form.
    package init(issuer: String, keyFile: String, keyID: String) async throws {
        let pem = try String(contentsOfFile: keyFile, encoding: .utf8)
        keys = JWTKeyCollection()
        await keys.add(
            rsa: try Insecure.RSA.PrivateKey(pem: pem), digestAlgorithm: .sha256,
            kid: JWKIdentifier(string: keyID))
        self.keyID = keyID
        self.issuer = issuer
    }

    package func token(
        subject: String, groups: [String] = [], audience: String = "oauth2_proxy",
        expiresIn seconds: Double = 3600
    ) async throws -> String {
        let claims = Claims(
            iss: issuer, sub: subject, aud: audience, email: "\(subject)@example.org",
            name: subject, groups: groups, iat: Int(Date().timeIntervalSince1970),
            exp: Int(Date().timeIntervalSince1970 + seconds))
        return try await keys.sign(claims, kid: JWKIdentifier(string: keyID))
    }

    private struct Claims: JWTPayload {
        let iss, sub, aud, email, name: String
        let groups: [String]
        let iat, exp: Int

        func verify(using algorithm: some JWTAlgorithm) async throws {}
    }
}
