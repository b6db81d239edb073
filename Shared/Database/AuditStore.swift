package import Domain
internal import FoundationEssentials
package import Postgres

/// Who did what. Records are added in the transaction that does it, and read; nothing changes them but `forget`.
package struct AuditStore {
    /// Which records are meant; nil is all.
    package struct Filter: Sendable {
        package var actor: String?
        package var action: AuditAction?

        package init(actor: String? = nil, action: AuditAction? = nil) {
            self.actor = actor
            self.action = action
        }
    }

    private let session: Session

    package init(_ session: Session) { self.session = session }

    package func record(
        _ action: AuditAction, _ subject: String = "", _ details: [String: String] = [:],
        by author: AuditAuthor
    ) throws(PostgresError) {
        try session.run(
            """
            INSERT INTO audit_records (actor, is_admin, action, subject, details, request_id)
            VALUES (\(author.actor), \(author.isAdmin), \(action.rawValue), \(subject),
                    \(JSON(details)), \(author.requestID))
            """)
    }

    /// Newest first, those before one.
    package func list(
        _ filter: Filter, before id: Int?, offset: Int = 0, limit: Int
    ) throws(PostgresError) -> [AuditRecord] {
        try records(
            """
            \(sql: Self.selection(filter)) AND id < \(id ?? Int.max)
            ORDER BY id DESC LIMIT \(limit) OFFSET \(offset)
            """)
    }

    /// Oldest first, those after one.
    package func list(
        _ filter: Filter, after id: Int, limit: Int
    ) throws(PostgresError) -> [AuditRecord] {
        try records(
            "\(sql: Self.selection(filter)) AND id > \(id) ORDER BY id LIMIT \(limit)")
    }

    package func count(_ filter: Filter) throws(PostgresError) -> Int {
        try session.run(
            "SELECT count(*) AS total FROM audit_records WHERE \(sql: Self.condition(filter))"
        ).first?.get("total") ?? 0
    }

    /// Takes the name of a member who is being erased out of all records. Who knows the name can still
    /// tell them, since the same name always gives the same digest.
    package func forget(_ user: User.ID) throws(PostgresError) {
        let digest: SQL = """
            'erased:' || left(encode(sha256(convert_to(\(user)::text, 'UTF8')), 'hex'), 16)
            """
        try session.run(
            """
            UPDATE audit_records SET actor = \(sql: digest)
            WHERE tenant_id = \(Tenant.only) AND actor = \(user)
            """)
        try session.run(
            """
            UPDATE audit_records
            SET details = jsonb_set(details, '{user}', to_jsonb(\(sql: digest)))
            WHERE tenant_id = \(Tenant.only) AND details ? 'user'
              AND details ->> 'user' = \(user)
            """)
    }

    private static func selection(_ filter: Filter) -> SQL {
        """
        SELECT id, created_at, actor, is_admin, action, subject, details, request_id
        FROM audit_records WHERE \(sql: condition(filter))
        """
    }

    private static func condition(_ filter: Filter) -> SQL {
        var conditions: [SQL] = ["tenant_id = \(Tenant.only)"]
        if let actor = filter.actor { conditions.append("actor = \(actor)") }
        if let action = filter.action { conditions.append("action = \(action.rawValue)") }
        return SQL.joined(conditions, by: " AND ")
    }

    private func records(_ query: SQL) throws(PostgresError) -> [AuditRecord] {
        var records: [AuditRecord] = []
        for row in try session.run(query) {
            records.append(
                AuditRecord(
                    id: try row.get("id"), createdAt: try row.get("created_at"),
                    author: AuditAuthor(
                        actor: try row.get("actor"), isAdmin: try row.get("is_admin"),
                        requestID: try row.find("request_id")),
                    action: try row.get("action"), subject: try row.get("subject"),
                    details: try row.get("details", as: JSON<[String: String]>.self).value))
        }
        return records
    }
}
