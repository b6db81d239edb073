import Logging
import NIOCore
import TestSupport
import Testing

@testable import Postgres

/// Behind a relay that drops every request to cancel, as a pooler or a frozen server does.
@Suite("A server that ignores being asked to stop")
struct IgnoredCancelTests {
    @Test("does not hold the caller: the deadline ends the call, and the connection is closed")
    func deadline() async throws {
        try await withSilentCancels { pool, server, droppedCount in
            let pid = try await processID(pool)
            await #expect(throws: PostgresError.timedOut) {
                try await pool.read(deadline: .seconds(1)) { try $0.run("SELECT pg_sleep(600)") }
            }
            try await eventually { droppedCount.count == 1 }
            #expect(try await processID(pool) != pid)
            // Ours is closed: the server finds out and ends the session with its statement.
            try await eventually(within: .seconds(30)) {
                try await server.read {
                    try $0.run("SELECT pid FROM pg_stat_activity WHERE pid = \(pid)").isEmpty
                }
            }
        }
    }

    @Test("does not hold a cancelled task either, nor commits what it was at")
    func cancelled() async throws {
        try await withSilentCancels { pool, server, droppedCount in
            let pid = try await processID(pool)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    await #expect(throws: PostgresError.cancelled) {
                        try await pool.transaction { transaction in
                            try transaction.run("INSERT INTO job_clocks VALUES ('x', 1)")
                            try transaction.run("SELECT pg_sleep(600)")
                        }
                    }
                }
                try await eventually {
                    try await server.read {
                        try !$0.run(
                            """
                            SELECT pid FROM pg_stat_activity
                            WHERE pid = \(pid) AND query LIKE '%pg_sleep(600)%'
                            """
                        ).isEmpty
                    }
                }
                group.cancelAll()
                try await group.waitForAll()
            }
            try await eventually { droppedCount.count == 1 }
            let count = try await pool.read {
                try $0.run("SELECT name FROM job_clocks WHERE name = 'x'").count
            }
            #expect(count == 0)
        }
    }

    @Test("takes no more than a few threads, however many statements it ignores")
    func bounded() async throws {
        try await withSilentCancels(connectionCountMax: 40) { pool, _, droppedCount in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<40 {
                    group.addTask {
                        await #expect(throws: PostgresError.timedOut) {
                            try await pool.read(deadline: .milliseconds(200)) {
                                try $0.run("SELECT pg_sleep(600)")
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(droppedCount.count <= CancelPermits.countMax)
            _ = try await processID(pool)
        }
    }

    private func withSilentCancels(
        connectionCountMax: Int = 1,
        _ body: (
            _ relayed: PostgresPool, _ direct: PostgresPool, _ droppedCount: DroppedCount
        ) async throws -> Void
    ) async throws {
        let dropped = DroppedCount()
        try await withDatabase { direct in
            let port = try #require(direct.configuration.keywords["port"].flatMap { Int($0) })
            let inspect: Relay.Inspection = { bytes in
                guard Self.isCancelRequest(bytes) else { return true }
                dropped.rise()
                return false
            }
            try await Relay.run(to: port, inspect: inspect) { relay in
                var configuration = direct.configuration
                configuration.keywords["port"] = String(relay.port)
                configuration.keywords["connect_timeout"] = "60"
                let pool = PostgresPool(
                    configuration, connectionCountMax: connectionCountMax, waitMax: .seconds(30),
                    logger: .test)
                try await closing(pool) { try await body(pool, direct, dropped) }
            }
        }
    }

    /// A message of 16 bytes that begins with its length and a code of its own.
    private static func isCancelRequest(_ bytes: ByteBuffer) -> Bool {
        bytes.getInteger(at: bytes.readerIndex, as: UInt32.self) == 16
            && bytes.getInteger(at: bytes.readerIndex + 4, as: UInt32.self) == 80_877_102
    }

    private func processID(_ pool: PostgresPool) async throws -> Int {
        try await pool.read {
            try $0.run("SELECT pg_backend_pid() AS pid").first?.get("pid") ?? -1
        }
    }
}
