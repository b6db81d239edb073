import Postgres
import TestSupport
import Testing

@Suite("A transaction that stays open") struct OpenTransactionTests {
    private static let text = "tab\t, line\n, back\\slash, \\N, sole é \u{1F41D}"

    @Test("copies tables out and in as they are, in pieces, and counts their rows")
    func copies() async throws {
        try await withDatabase { pool in
            // More than a piece of rows, and a row that is larger than a piece.
            try await pool.read { session in
                try session.run(
                    script: """
                        CREATE TABLE a (n int, s text, r real[], b bytea);
                        CREATE TABLE b (LIKE a)
                        """)
                try session.run(
                    """
                    INSERT INTO a SELECT n, \(Self.text) || repeat('x', 200), ARRAY[n, 0.1]::real[], '\\x00ff'
                    FROM generate_series(1, 20000) n
                    """)
                try session.run("INSERT INTO a VALUES (0, repeat('ü', 3000000), NULL, NULL)")
            }
            var pieces: [[UInt8]] = []
            try await pool.withOpenTransaction(.snapshot) { snapshot in
                try await snapshot.copyOut("COPY a TO STDOUT") { pieces.append($0) }
            }
            #expect(pieces.count > 3)
            let rowCount = try await pool.withOpenTransaction(.write) { transaction in
                var rest = pieces[...]
                return try await transaction.copyIn("COPY b FROM STDIN") { rest.popFirst() }
            }
            #expect(rowCount == 20_001)
            let (difference, sum) = try await pool.read { session in
                let differing = try session.run(
                    "(TABLE a EXCEPT TABLE b) UNION ALL (TABLE b EXCEPT TABLE a)")
                return (
                    differing.count,
                    try session.run("SELECT sum(n) AS n FROM b").first?.get("n", as: Int.self)
                )
            }
            #expect(difference == 0)
            #expect(sum == 200_010_000)
        }
    }

    @Test("sees one moment, whatever is committed meanwhile")
    func oneMoment() async throws {
        try await withDatabase { pool in
            let count: SQL = "SELECT count(*) AS n FROM documents"
            let counts = try await pool.withOpenTransaction(.snapshot) { snapshot in
                let before = try await snapshot.run {
                    try $0.run(count).first?.get("n", as: Int.self)
                }
                try await pool.read { session in
                    try session.run(
                        """
                        INSERT INTO documents (id, kind, title)
                        VALUES (gen_random_uuid(), 'training', 'late')
                        """)
                }
                var rows: [UInt8] = []
                try await snapshot.copyOut("COPY documents TO STDOUT") { rows += $0 }
                let after = try await snapshot.run {
                    try $0.run(count).first?.get("n", as: Int.self)
                }
                return [before, rows.count, after]
            }
            #expect(counts == [0, 0, 0])
            let now = try await pool.read { try $0.run(count).first?.get("n", as: Int.self) }
            #expect(now == 1)
        }
    }

    @Test("leaves nothing when its owner throws, a row is refused, or a statement is no COPY")
    func nothing() async throws {
        try await withDatabase { pool in
            try await pool.read { try $0.run(script: "CREATE TABLE a (n int)") }
            let bad: [(String, [UInt8])] = [
                ("COPY a FROM STDIN", Array("1\nnone\n".utf8)),
                ("COPY nowhere FROM STDIN", Array("1\n".utf8)),
            ]
            for (statement, rows) in bad {
                await #expect(throws: PostgresError.self, "\(statement)") {
                    try await pool.withOpenTransaction(.write) { transaction in
                        try await transaction.run { _ = try $0.run("INSERT INTO a VALUES (7)") }
                        var rest: [UInt8]? = rows
                        _ = try await transaction.copyIn(statement) {
                            defer { rest = nil }
                            return rest
                        }
                    }
                }
            }
            struct Cut: Error {}
            await #expect(throws: Cut.self) {
                try await pool.withOpenTransaction(.write) { transaction in
                    var isFirst = true
                    _ = try await transaction.copyIn("COPY a FROM STDIN") {
                        guard isFirst else { throw Cut() }
                        isFirst = false
                        return Array("1\n2\n".utf8)
                    }
                }
            }
            let count = try await pool.read {
                try $0.run("SELECT count(*) AS n FROM a").first?.get("n", as: Int.self)
            }
            #expect(count == 0)
        }
    }

    @Test("ends at once when whoever copies is cancelled")
    func cancelled() async throws {
        try await withDatabase { pool in
            let sleeping = "COPY (SELECT pg_sleep(600)) TO STDOUT"
            let failure = await withTaskGroup(of: PostgresError?.self) { group in
                group.addTask {
                    do {
                        try await pool.withOpenTransaction(.snapshot) { snapshot in
                            try await snapshot.copyOut(sleeping) { _ in }
                        }
                        return nil
                    } catch {
                        return error as? PostgresError
                    }
                }
                let isSeen: Void? = try? await eventually {
                    try await pool.read { session in
                        try !session.run(
                            "SELECT pid FROM pg_stat_activity WHERE query = \(sleeping)"
                        ).isEmpty
                    }
                }
                #expect(isSeen != nil)
                group.cancelAll()
                return await group.next() ?? nil
            }
            #expect(failure == .cancelled)
        }
    }
}
