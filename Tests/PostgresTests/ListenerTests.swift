import Logging
import Postgres
import ServiceLifecycle
import TestSupport
import Testing

@Suite("Notifications")
struct ListenerTests {
    @Test("arrive after the commit, and not without one")
    func arrive() async throws {
        try await withListener { pool, listener in
            var received = listener.notifications(on: "things").makeAsyncIterator()
            #expect(await received.next()?.payload == "")
            struct Thrown: Error {}
            await #expect(throws: Thrown.self) {
                try await pool.transaction { transaction in
                    try transaction.notify("things", "never")
                    throw Thrown()
                }
            }
            try await pool.transaction { try $0.notify("things", "it's \"so\"") }
            #expect(
                await Self.told(&received)
                    == Notification(channel: "things", payload: "it's \"so\""))
        }
    }

    @Test("go on after the server ended the connection, and say that some may be missing")
    func survive() async throws {
        try await withListener { pool, listener in
            var received = listener.notifications(on: "things").makeAsyncIterator()
            #expect(await received.next()?.payload == "")
            let pid = try await pool.read {
                try $0.run(
                    """
                    SELECT pid FROM pg_stat_activity
                    WHERE datname = current_database() AND query LIKE 'LISTEN%'
                    """
                ).first?.get("pid", as: Int.self)
            }
            try await TestDatabase.terminate(try #require(pid))
            #expect(await received.next()?.payload == "")
            try await pool.transaction { try $0.notify("things", "again") }
            #expect(await Self.told(&received)?.payload == "again")
        }
    }

    @Test("reach those of their channel only")
    func separate() async throws {
        try await withListener { pool, listener in
            var things = listener.notifications(on: "things").makeAsyncIterator()
            var others = listener.notifications(on: "others").makeAsyncIterator()
            #expect(await things.next()?.payload == "")
            #expect(await others.next()?.payload == "")
            try await pool.transaction { transaction in
                try transaction.notify("others", "1")
                try transaction.notify("things", "2")
            }
            #expect(await Self.told(&things)?.payload == "2")
            #expect(await Self.told(&others)?.payload == "1")
        }
    }

    /// The next that somebody sent: whoever listens while a connection opens may be told twice that some
    /// may be missing.
    private static func told(
        _ received: inout AsyncStream<Notification>.AsyncIterator,
        isolation: isolated (any Actor)? = #isolation
    ) async -> Notification? {
        while let next = await received.next(isolation: isolation) {
            if !next.payload.isEmpty { return next }
        }
        return nil
    }

    private func withListener(
        _ body: @escaping @Sendable (PostgresPool, PostgresListener) async throws -> Void
    ) async throws {
        try await withDatabase { pool in
            let listener = PostgresListener(
                pool.configuration, channels: ["things", "others"], logger: .test)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await listener.run() }
                try await within(.seconds(60)) { try await body(pool, listener) }
                group.cancelAll()
                try await group.waitForAll()
            }
        }
    }
}
