package import Domain
package import FoundationEssentials
package import Postgres

/// What the first request under an `Idempotency-Key` made, for a day.
package struct IdempotencyStore {
    package enum Claim: Sendable, Equatable {
        /// Ours is the first request under this key.
        case first
        /// The same request came before and made this.
        case repeated(subject: UUID)
        /// The key was used for another body.
        case conflicting
    }

    private let session: Session

    package init(_ session: Session) { self.session = session }

    /// Takes a key for what is about to be made, in the transaction that makes it. A second request
    /// waits here until the first has committed.
    package func claim(
        _ key: String, route: String, bodyHash: [UInt8], subject: UUID,
        for principal: Principal
    ) throws(PostgresError) -> Claim {
        try session.run(
            """
            DELETE FROM idempotency_keys
            WHERE tenant_id = \(principal.tenant) AND user_id = \(principal.user)
              AND route = \(route) AND key = \(key) AND created_at < now() - interval '1 day'
            """)
        let inserted = try session.run(
            """
            INSERT INTO idempotency_keys (tenant_id, user_id, route, key, body_hash, subject_id)
            VALUES (\(principal.tenant), \(principal.user), \(route), \(key), \(bodyHash),
                    \(subject))
            ON CONFLICT (tenant_id, user_id, route, key) DO NOTHING RETURNING key
            """)
        guard inserted.isEmpty else { return .first }
        let rows = try session.run(
            """
            SELECT body_hash, subject_id FROM idempotency_keys
            WHERE tenant_id = \(principal.tenant) AND user_id = \(principal.user)
              AND route = \(route) AND key = \(key)
            """)
        guard let row = rows.first else { return .conflicting }
        let known: [UInt8] = try row.get("body_hash")
        return known == bodyHash ? .repeated(subject: try row.get("subject_id")) : .conflicting
    }
}
