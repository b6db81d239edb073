/// Why a token gives no caller.
package enum TokenError: Error, Hashable {
    /// The token is no good: the caller needs another one.
    case refused(Refusal)
    /// No key has ever been fetched from the issuer: nothing can be said about any token.
    case unavailable

    /// For logs and for the sentence in `WWW-Authenticate`; never the token's own words.
    package enum Refusal: String, Sendable, Hashable, CaseIterable {
        case malformed = "the token is malformed"
        case tooLarge = "the token is too large"
        case algorithm = "the token's algorithm is not accepted"
        case critical = "the token demands an extension that is not understood"
        case unknownKey = "the token is signed with an unknown key"
        case signature = "the token's signature is invalid"
        case expired = "the token expired"
        case notYetValid = "the token is not valid yet"
        case issuer = "the token comes from another issuer"
        case audience = "the token is meant for another audience"
        case subject = "the token names no subject"
        case type = "the token is of another type"
        case idToken = "an access token is needed, this is an ID token"
    }
}
