package import Postgres

/// Dead jobs of one reason, of one kind, or both; nil is no condition.
package struct DeadLetters: Sendable, Hashable {
    package var reason: String?
    package var kind: String?

    package init(reason: String? = nil, kind: String? = nil) {
        self.reason = reason
        self.kind = kind
    }

    /// What those have in common that died of the same: the code of a job that was given up, else the
    /// error's words.
    static let reasonGroup: SQL = """
        CASE WHEN reason ~ '^[a-z_]+: ' THEN split_part(reason, ': ', 1)
             ELSE left(coalesce(reason, ''), 200) END
        """

    /// Oldest first: those after one and up to another.
    package func list(
        after first: Int, upTo last: Int, limit: Int, _ session: Session
    ) throws(PostgresError) -> [(id: Int, subject: String)] {
        let rows = try session.run(
            """
            SELECT id, subject FROM jobs
            WHERE \(sql: condition) AND id > \(first) AND id <= \(last) ORDER BY id LIMIT \(limit)
            """)
        var letters: [(id: Int, subject: String)] = []
        for row in rows { letters.append((id: try row.get("id"), subject: try row.get("subject"))) }
        return letters
    }

    /// The newest of them; nil when there are none.
    package func newest(_ session: Session) throws(PostgresError) -> Int? {
        try session.run("SELECT max(id) AS id FROM jobs WHERE \(sql: condition)").first?.find("id")
    }

    /// How many there are after one and up to another.
    package func count(
        after first: Int, upTo last: Int, _ session: Session
    ) throws(PostgresError) -> Int {
        try session.run(
            """
            SELECT count(*) AS total FROM jobs
            WHERE \(sql: condition) AND id > \(first) AND id <= \(last)
            """
        ).first?.get("total") ?? 0
    }

    private var condition: SQL {
        var conditions: [SQL] = ["state = 'dead'"]
        if let reason { conditions.append("\(sql: Self.reasonGroup) = \(reason)") }
        if let kind { conditions.append("kind = \(kind)") }
        return SQL.joined(conditions, by: " AND ")
    }
}
