/// What a caller's token must satisfy. All of it comes from settings, nothing from a token.
package struct TokenRules: Sendable {
    /// Those whose keys are public. A shared secret has no business in a gateway.
    package static let knownAlgorithms = [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
    ]

    package let issuer: String
    /// One of them must be named.
    package let audiences: [String]
    package let algorithms: [String]
    /// Who is in it is an operator; nobody if empty.
    package let adminGroup: String
    /// Who has this role of the realm is one as well; nobody if empty.
    package let adminRole: String

    package init(
        issuer: String, audiences: [String], algorithms: [String], adminGroup: String,
        adminRole: String = ""
    ) {
        self.issuer = issuer
        self.audiences = audiences
        self.algorithms = algorithms
        self.adminGroup = String(adminGroup.drop { $0 == "/" })
        self.adminRole = adminRole
    }
}
