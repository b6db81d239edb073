package import Domain
package import FoundationEssentials
package import Postgres

/// What the first request under an `Idempotency-Key` made, for a day.
///
/// A key is taken in the transaction that makes something: a request that fails leaves nothing to
/// remember, and of two at one moment the second waits until the first has committed.
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
    private let principal: Principal

    package init(_ session: Session, for principal: Principal) {
        self.session = session
        self.principal = principal
    }

    /// Takes the key for `subject`, which is about to be made.
    package func claim(
        _ request: KeyedRequest, subject: UUID
    ) throws(PostgresError) -> Claim {
        try session.run(
            """
            DELETE FROM idempotency_keys
            WHERE \(sql: condition(request)) AND created_at < now() - interval '1 day'
            """)
        let inserted = try session.run(
            """
            INSERT INTO idempotency_keys (tenant_id, user_id, route, key, body_hash, subject_id)
            VALUES (\(principal.tenant), \(principal.user), \(request.route),
                    \(request.key.text), \(request.bodyHash), \(subject))
            ON CONFLICT (tenant_id, user_id, route, key) DO NOTHING RETURNING key
            """)
        guard inserted.isEmpty else { return .first }
        let rows = try session.run(
            """
            SELECT body_hash, subject_id FROM idempotency_keys
            WHERE \(sql: condition(request))
            """)
        guard let row = rows.first else { return .conflicting }
        let known: [UInt8] = try row.get("body_hash")
        guard known == request.bodyHash else { return .conflicting }
        return .repeated(subject: try row.get("subject_id"))
    }

    /// Acts for the first of all requests alike under one key; the others get what it answered.
    /// Nil when the key was used for another body.
    package func once<Answer: Codable & Sendable>(
        _ request: KeyedRequest, _ act: () throws -> Answer
    ) throws -> Answer? {
        // Nothing made has an id that is known before: the request's own stands for it.
        switch try claim(request, subject: UUID()) {
        case .first:
            let answer = try act()
            try session.run(
                """
                UPDATE idempotency_keys SET answer = \(JSON(answer))
                WHERE \(sql: condition(request))
                """)
            return answer
        case .repeated:
            let rows = try session.run(
                "SELECT answer FROM idempotency_keys WHERE \(sql: condition(request))")
            return try rows.first?.get("answer", as: JSON<Answer>.self).value
        case .conflicting: return nil
        }
    }

    /// Whether something was made under the key already.
    package func isTaken(_ key: IdempotencyKey, route: String) throws(PostgresError) -> Bool {
        try !session.run(
            """
            SELECT key FROM idempotency_keys
            WHERE tenant_id = \(principal.tenant) AND user_id = \(principal.user)
              AND route = \(route) AND key = \(key.text)
              AND created_at >= now() - interval '1 day'
            """
        ).isEmpty
    }

    package func deleteAll() throws(PostgresError) {
        try session.run(
            """
            DELETE FROM idempotency_keys
            WHERE tenant_id = \(principal.tenant) AND user_id = \(principal.user)
            """)
    }

    private func condition(_ request: KeyedRequest) -> SQL {
        """
        tenant_id = \(principal.tenant) AND user_id = \(principal.user)
        AND route = \(request.route) AND key = \(request.key.text)
        """
    }
}
