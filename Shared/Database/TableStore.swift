internal import Domain
package import Postgres

/// Our tables as a copy of them sees them: which there are, and all that is in them.
package struct TableStore {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    /// What is no content: the schema's version, and who is alive at this moment.
    private static let passing = [
        "schema_migrations", "chat_replicas", "job_workers", "upload_reservations",
    ]
    /// What processes write into an empty database of themselves when they start.
    private static let madeAtStart = ["generations", "job_clocks", "jobs"]

    /// Those with content, a table before those that refer to it.
    package func list() throws(PostgresError) -> [StoredTable] {
        let rows = try session.run(
            """
            SELECT c.relname AS name,
                   array_agg(a.attname::text ORDER BY a.attnum) AS columns,
                   coalesce((SELECT array_agg(DISTINCT p.relname::text) FROM pg_constraint f
                             JOIN pg_class p ON p.oid = f.confrelid
                             WHERE f.conrelid = c.oid AND f.contype = 'f' AND p.oid <> c.oid),
                            '{}') AS parents
            FROM pg_class c
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
                AND NOT a.attisdropped AND a.attgenerated = ''
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
              AND c.relname <> ALL(\(Self.passing)::text[])
            GROUP BY c.oid, c.relname ORDER BY c.relname
            """)
        var waiting: [(table: StoredTable, parents: [String])] = []
        for row in rows {
            let table = StoredTable(name: try row.get("name"), columns: try row.get("columns"))
            waiting.append((table, try row.get("parents")))
        }
        var sorted: [StoredTable] = []
        var placed: Set<String> = []
        while let index = waiting.firstIndex(where: { placed.isSuperset(of: $0.parents) }) {
            let table = waiting.remove(at: index).table
            placed.insert(table.name)
            sorted.append(table)
        }
        // Tables that refer to each other in a circle have no order.
        guard waiting.isEmpty else { throw .undecodable(column: waiting[0].table.name) }
        return sorted
    }

    /// Keeps everybody from changing what the tables are until the transaction ends. As its first
    /// statement: a snapshot that is older than a rewritten table finds that empty.
    package func lockShape(of tables: [StoredTable]) throws(PostgresError) {
        let names = tables.map(\.quoted).joined(separator: ", ")
        try session.run(script: "LOCK TABLE \(names) IN ACCESS SHARE MODE")
    }

    /// Keeps everybody else from the tables until the transaction ends.
    package func lock(_ tables: [StoredTable]) throws(PostgresError) {
        let names = tables.map(\.quoted).joined(separator: ", ")
        try session.run(script: "LOCK TABLE \(names) IN ACCESS EXCLUSIVE MODE")
    }

    /// The first that holds what somebody has asked for or done; nil in a database that is new.
    package func findFilled(_ tables: [StoredTable]) throws(PostgresError) -> String? {
        for table in tables where !Self.madeAtStart.contains(table.name) {
            let found: SQL = "SELECT EXISTS (SELECT FROM \(sql: table.sql)) AS found"
            if try session.run(found).first?.get("found") == true { return table.name }
        }
        // Whoever does it would go on after the restored rows are there.
        let running: SQL = "SELECT EXISTS (SELECT FROM jobs WHERE state = 'running') AS found"
        return try session.run(running).first?.get("found") == true ? "jobs" : nil
    }

    /// Whether somebody may be indexing: a worker that was there in the last half minute.
    package func isWorkedOn() throws(PostgresError) -> Bool {
        let kinds = [IndexAttachmentJob.kind]
        return try session.run(
            """
            SELECT EXISTS (
                SELECT FROM job_workers
                WHERE heartbeat_at > now() - interval '30 seconds' AND kinds && \(kinds)::text[])
                AS found
            """
        ).first?.get("found") ?? false
    }

    /// Leaves nothing in them, children first.
    package func empty(_ tables: [StoredTable]) throws(PostgresError) {
        for table in tables.reversed() {
            try session.run(script: "DELETE FROM \(table.quoted)")
        }
    }

    /// Statistics for the server's planner, which has none of rows that came this moment, and would read
    /// whole tables where an index would do.
    package func analyse(_ tables: [StoredTable]) throws(PostgresError) {
        let names = tables.map(\.quoted).joined(separator: ", ")
        try session.run(script: "ANALYZE \(names)")
    }

    /// New rows get numbers after the greatest that is there.
    package func advanceIdentities(of table: StoredTable) throws(PostgresError) {
        let rows = try session.run(
            """
            SELECT attname::text AS column FROM pg_attribute
            WHERE attrelid = \(table.quoted)::regclass AND attidentity <> '' AND NOT attisdropped
            """)
        for row in rows {
            let column = try row.get("column", as: String.self)
            let greatest = SQL(stringLiteral: "max(\(StoredTable.quote(column)))")
            try session.run(
                """
                SELECT setval(pg_get_serial_sequence(\(table.quoted), \(column)),
                              greatest(1, coalesce(\(sql: greatest), 1)),
                              \(sql: greatest) IS NOT NULL)
                FROM \(sql: table.sql)
                """)
        }
    }
}

/// A table and its columns, but for those that the server computes.
package struct StoredTable: Sendable, Hashable, Codable {
    package let name: String
    package let columns: [String]

    package init(name: String, columns: [String]) {
        self.name = name
        self.columns = columns
    }

    /// For `COPY`.
    package var copyOut: String { "COPY \(quoted) (\(quotedColumns)) TO STDOUT" }
    package var copyIn: String { "COPY \(quoted) (\(quotedColumns)) FROM STDIN" }

    fileprivate var quoted: String { Self.quote(name) }
    fileprivate var sql: SQL { SQL(stringLiteral: quoted) }
    private var quotedColumns: String { columns.map(Self.quote).joined(separator: ", ") }

    fileprivate static func quote(_ name: String) -> String {
        "\"\(name.replacing("\"", with: "\"\""))\""
    }
}
