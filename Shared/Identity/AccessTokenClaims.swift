internal import FoundationEssentials

/// The protected header of a caller's token. Members that name keys or addresses are not read.
struct AccessTokenHeader: Decodable {
    let alg: String
    let kid: String?
    let typ: String?
    let hasCritical: Bool

    private enum Keys: String, CodingKey { case alg, kid, typ, crit }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        alg = try container.decode(String.self, forKey: .alg)
        kid = try container.decodeIfPresent(String.self, forKey: .kid)
        typ = try container.decodeIfPresent(String.self, forKey: .typ)
        hasCritical = container.contains(.crit)
    }

    /// The common issuers leave it out or write one of these.
    var isAccessTokenType: Bool {
        guard var typ = typ?.lowercased() else { return true }
        if typ.hasPrefix("application/") { typ.removeFirst("application/".count) }
        return typ == "jwt" || typ == "at+jwt"
    }
}

/// The payload of a caller's token, as far as it is read.
struct AccessTokenClaims: Decodable {
    let issuer: String?
    let audiences: [String]
    let subject: String
    let expiresAt: Double?
    let notBefore: Double?
    let issuedAt: Double?
    let isIDToken: Bool
    /// Whether it says that it is for renewing a session, or for ending one.
    let isForSessions: Bool
    let groups: [String]
    /// Of the whole realm (Keycloak); those of single clients are not read.
    let realmRoles: [String]
    let email: String
    let name: String
    let preferredUsername: String
    let givenName: String
    let familyName: String

    private enum Keys: String, CodingKey {
        case iss, aud, sub, exp, nbf, iat, typ, events, groups, email, name
        case tokenUse = "token_use"
        case realmAccess = "realm_access"
        case accessTokenHash = "at_hash"
        case codeHash = "c_hash"
        case preferredUsername = "preferred_username"
        case givenName = "given_name"
        case familyName = "family_name"
    }

    private struct RealmAccess: Decodable { let roles: [String] }

    init(from decoder: any Decoder) throws {
        let claims = try decoder.container(keyedBy: Keys.self)
        // A claim that only decorates may have any shape: one of another shape counts as absent,
        // so every `try?` here means "not a string". The deciding claims throw.
        func text(_ key: Keys) -> String { (try? claims.decode(String.self, forKey: key)) ?? "" }
        issuer = try claims.decodeIfPresent(String.self, forKey: .iss)
        audiences = try Self.strings(claims, .aud)
        subject = try claims.decodeIfPresent(String.self, forKey: .sub) ?? ""
        expiresAt = try claims.decodeIfPresent(Double.self, forKey: .exp)
        notBefore = try claims.decodeIfPresent(Double.self, forKey: .nbf)
        issuedAt = try claims.decodeIfPresent(Double.self, forKey: .iat)
        isIDToken =
            text(.typ).lowercased() == "id" || text(.tokenUse).lowercased() == "id"
            || claims.contains(.accessTokenHash) || claims.contains(.codeHash)
        isForSessions =
            ["refresh", "offline", "logout"].contains(text(.typ).lowercased())
            || claims.contains(.events)
        groups = Self.groups(claims)
        // Of another shape it grants no role, which is the safe reading.
        realmRoles = (try? claims.decode(RealmAccess.self, forKey: .realmAccess))?.roles ?? []
        email = text(.email)
        name = text(.name)
        preferredUsername = text(.preferredUsername)
        givenName = text(.givenName)
        familyName = text(.familyName)
    }

    private static func strings(
        _ claims: KeyedDecodingContainer<Keys>, _ key: Keys
    ) throws -> [String] {
        guard claims.contains(key), try !claims.decodeNil(forKey: key) else { return [] }
        // Not a string is no failure yet: the standard allows a list as well.
        if let one = try? claims.decode(String.self, forKey: key) { return [one] }
        return try claims.decode([String].self, forKey: key)
    }

    /// A list, or one string with commas; a leading slash (Keycloak's paths) says nothing. A comma in a
    /// list belongs to a name: who may name a group `x,admins` makes no operators.
    private static func groups(_ claims: KeyedDecodingContainer<Keys>) -> [String] {
        // Neither shape means that the token grants no group, which is the safe reading.
        var listed = (try? claims.decode([String].self, forKey: .groups)) ?? []
        // As above.
        if let text = try? claims.decode(String.self, forKey: .groups) {
            listed = text.split(separator: ",").map(String.init)
        }
        return
            listed
            .map { group in
                var name = group[...]
                while name.first?.isWhitespace == true { name.removeFirst() }
                while name.last?.isWhitespace == true { name.removeLast() }
                if name.first == "/" { name.removeFirst() }
                return String(name)
            }
            .filter { !$0.isEmpty }
    }
}
