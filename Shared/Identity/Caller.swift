package import Domain

/// Who a verified token speaks of. The internal hop carries exactly this.
package struct Caller: Sendable, Hashable, Codable {
    package let sub: String
    package let email: String
    package let name: String
    package let preferredUsername: String
    package let givenName: String
    package let familyName: String
    /// Without a leading slash; groups inside an organization claim are not among them.
    package let groups: [String]
    package let isAdmin: Bool

    package init(
        sub: String, email: String = "", name: String = "", preferredUsername: String = "",
        givenName: String = "", familyName: String = "", groups: [String] = [],
        isAdmin: Bool = false
    ) {
        self.sub = sub
        self.email = email
        self.name = name
        self.preferredUsername = preferredUsername
        self.givenName = givenName
        self.familyName = familyName
        self.groups = groups
        self.isAdmin = isAdmin
    }

    package var principal: Principal {
        Principal(user: User.ID(rawValue: sub), isAdmin: isAdmin)
    }

    enum CodingKeys: String, CodingKey {
        case sub, email, name, groups
        case preferredUsername = "preferred_username"
        case givenName = "given_name"
        case familyName = "family_name"
        case isAdmin = "is_admin"
    }
}
