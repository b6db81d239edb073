import Logging
import TestSupport
import Testing

@testable import Postgres

@Suite("Postgres pool")
struct ConnectionTests {
    struct Thrown: Error {}

    @Test("a deadline stops the statement on the server and keeps the connection")
    func deadlines() async throws {
        try await withDatabase(connectionCountMax: 1) { pool in
            let pid = try await processID(pool)
            await #expect(throws: PostgresError.timedOut) {
                try await pool.read(deadline: .seconds(1)) {
                    try $0.run("SELECT pg_sleep(60) /* late */")
                }
            }
            #expect(try await processID(pool) == pid)
            #expect(try await runningCount("%late%", pool) == 0)
        }
    }

    @Test("a cancelled task stops its statement on the server")
    func cancels() async throws {
        try await withDatabase { pool in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    await #expect(throws: PostgresError.cancelled) {
                        try await pool.transaction {
                            try $0.run("SELECT pg_sleep(60) /* unwanted */")
                        }
                    }
                }
                try await eventually { try await runningCount("%unwanted%", pool) == 1 }
                group.cancelAll()
                try await group.waitForAll()
            }
            #expect(try await runningCount("%unwanted%", pool) == 0)
            // What was cancelled is rolled back, and the connection serves the next one.
            #expect(try await openTransactionCount(pool) == 0)
        }
    }

    @Test("a transaction whose body throws leaves nothing")
    func rollsBack() async throws {
        try await withDatabase(connectionCountMax: 1) { pool in
            await #expect(throws: Thrown.self) {
                try await pool.transaction { transaction in
                    try transaction.run("INSERT INTO job_clocks VALUES ('x', 1)")
                    throw Thrown()
                }
            }
            let count = try await clockCount(pool)
            #expect(count == 0)
            #expect(try await openTransactionCount(pool) == 0)
        }
    }

    @Test("a transaction that hides a failed statement is not taken for committed")
    func noticesFailedTransactions() async throws {
        try await withDatabase { pool in
            let error = await #expect(throws: PostgresError.self) {
                try await pool.transaction { transaction in
                    try transaction.run("INSERT INTO job_clocks VALUES ('x', 1)")
                    // Hidden on purpose.
                    _ = try? transaction.run("SELECT 1 / 0")
                }
            }
            guard case .refused("25P02", _, _) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            let count = try await clockCount(pool)
            #expect(count == 0)
        }
    }

    @Test("the first error is heard when the connection goes in the middle of a transaction")
    func keepsFirstError() async throws {
        try await withDatabase(connectionCountMax: 1) { pool in
            await #expect(throws: Thrown.self) {
                try await pool.transaction { transaction in
                    // Hidden on purpose: the session ends itself.
                    _ = try? transaction.run("SELECT pg_terminate_backend(pg_backend_pid())")
                    throw Thrown()
                }
            }
            let count = try await clockCount(pool)
            #expect(count == 0)
        }
    }

    @Test("a connection that the server ended is replaced")
    func replacesBroken() async throws {
        try await withDatabase(connectionCountMax: 1) { pool in
            let pid = try await processID(pool)
            try await TestDatabase.terminate(pid)
            let other = try await processID(pool)
            #expect(other != pid)
            await #expect(throws: PostgresError.self) {
                try await pool.read { try $0.run("SELECT pg_terminate_backend(pg_backend_pid())") }
            }
            #expect(try await processID(pool) != other)
        }
    }

    @Test("waits for a connection no longer than it is told")
    func limitsWaiting() async throws {
        try await withDatabase(connectionCountMax: 1, waitMax: .milliseconds(100)) { pool in
            let isHeld = Signal()
            let isOver = Signal()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    _ = try await pool.withConnection { _ in
                        isHeld.fire()
                        try await isOver.wait()
                    }
                }
                try await isHeld.wait()
                await #expect(throws: PostgresError.busy) { try await processID(pool) }
                isOver.fire()
                try await group.waitForAll()
            }
            _ = try await processID(pool)
        }
    }

    @Test("serves many at once with few connections")
    func shares() async throws {
        try await withDatabase(connectionCountMax: 3) { pool in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        try await pool.read {
                            try $0.run("SELECT \(number) AS n").first?.get("n") ?? -1
                        }
                    }
                }
                let total = try await group.reduce(0, +)
                #expect(total == 199 * 100)
            }
            let count = try await pool.read {
                try $0.run(
                    """
                    SELECT count(*) AS n FROM pg_stat_activity
                    WHERE datname = current_database() AND application_name = 'celine-test'
                    """
                ).first?.get("n", as: Int.self)
            }
            #expect(count.map { $0 <= 3 } == true)
        }
    }

    @Test("an advisory lock is one's alone, and free again afterwards")
    func locks() async throws {
        try await withDatabase { pool in
            let outcome = try await pool.withAdvisoryLock(7, waitMax: .zero) {
                let second = try await pool.withAdvisoryLock(7, waitMax: .milliseconds(50)) { 2 }
                #expect(second == nil)
                let other = try await pool.withAdvisoryLock(8, waitMax: .zero) { 3 }
                #expect(other == 3)
                return 1
            }
            #expect(outcome == 1)
            #expect(try await pool.withAdvisoryLock(7, waitMax: .seconds(5)) { 4 } == 4)
        }
    }

    @Test("a server that is not there is unreachable, at once")
    func reportsUnreachable() async throws {
        let configuration = try PostgresConfiguration(url: "postgresql://u@127.0.0.1:1/x")
        let pool = PostgresPool(
            configuration, connectionCountMax: 1, waitMax: .seconds(1), logger: .test)
        let error = await #expect(throws: PostgresError.self) { try await processID(pool) }
        guard case .unreachable = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("a statement asked often is planned once, also after its table changed")
    func prepares() async throws {
        try await withDatabase(connectionCountMax: 1) { pool in
            try await pool.read { session in
                try session.run("CREATE TABLE things (a int)")
                for _ in 0..<5 { try session.run("SELECT * FROM things WHERE a = \(1)") }
                let names = try session.run(
                    "SELECT count(*) AS n FROM pg_prepared_statements WHERE name LIKE 'celine_%'")
                #expect(try names.first?.get("n", as: Int.self) == 1)
                try session.run("ALTER TABLE things ADD b int")
                #expect(throws: PostgresError.self) {
                    try session.run("SELECT * FROM things WHERE a = \(1)")
                }
                try session.run("SELECT * FROM things WHERE a = \(1)")
                // More than are kept.
                for number in 0..<600 {
                    for _ in 0..<2 { try session.run("SELECT \(1) AS \(sql: name(number))") }
                }
            }
        }
    }

    private func name(_ number: Int) -> SQL { SQL(stringLiteral: "n\(number)") }

    private func processID(_ pool: PostgresPool) async throws -> Int {
        try await pool.read {
            try $0.run("SELECT pg_backend_pid() AS pid").first?.get("pid") ?? -1
        }
    }

    private func clockCount(_ pool: PostgresPool) async throws -> Int {
        try await pool.read {
            try $0.run("SELECT count(*) AS n FROM job_clocks WHERE name = 'x'").first?.get("n")
                ?? -1
        }
    }

    private func runningCount(_ pattern: String, _ pool: PostgresPool) async throws -> Int {
        try await pool.read {
            try $0.run(
                """
                SELECT count(*) AS n FROM pg_stat_activity
                WHERE datname = current_database() AND state = 'active'
                  AND pid <> pg_backend_pid() AND query LIKE \(pattern)
                """
            ).first?.get("n") ?? -1
        }
    }

    private func openTransactionCount(_ pool: PostgresPool) async throws -> Int {
        try await pool.read {
            try $0.run(
                """
                SELECT count(*) AS n FROM pg_stat_activity
                WHERE datname = current_database() AND state LIKE 'idle in transaction%'
                """
            ).first?.get("n") ?? -1
        }
    }
}
