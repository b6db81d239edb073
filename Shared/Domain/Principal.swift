internal import FoundationEssentials

/// A deployment may one day serve several communities; until then there is one, the zero UUID.
package enum Tenant {
    package typealias ID = Identifier<Tenant>
    package static let only = ID(
        rawValue: UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)))
}

/// A member, keyed by the `sub` of the token.
package struct User: Sendable {
    package struct ID: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }
        package var description: String { rawValue }
    }
}

/// Who asks. Made from a verified token and nothing else; every read and search is bound to one.
package struct Principal: Sendable, Hashable {
    package let tenant: Tenant.ID
    package let user: User.ID
    package let isAdmin: Bool

    package init(tenant: Tenant.ID = Tenant.only, user: User.ID, isAdmin: Bool = false) {
        self.tenant = tenant
        self.user = user
        self.isAdmin = isAdmin
    }
}

/// Whose something is: one member's, or everybody's.
package enum Owner: Sendable, Hashable {
    case user(User.ID)
    case shared

    /// Nil in the database means shared.
    package init(userID: User.ID?) { self = userID.map(Owner.user) ?? .shared }

    package var userID: User.ID? {
        if case .user(let id) = self { id } else { nil }
    }
}
