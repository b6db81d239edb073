internal import Database
internal import FoundationEssentials
package import Logging
package import Postgres

/// Runs `body` with a migrated database of its own, which is gone afterwards.
package func withDatabase<Value: Sendable>(
    connectionCountMax: Int = 8, waitMax: Duration = .seconds(20),
    _ body: (PostgresPool) async throws -> Value
) async throws -> Value {
    try await withDatabase(copyOf: TestDatabase.template()) { configuration in
        let pool = PostgresPool(
            configuration, connectionCountMax: connectionCountMax, waitMax: waitMax, logger: .test)
        return try await closing(pool) { try await body(pool) }
    }
}

/// Runs `body` with an empty database of its own, which is gone afterwards.
package func withEmptyDatabase<Value: Sendable>(
    _ body: (PostgresConfiguration) async throws -> Value
) async throws -> Value {
    try await withDatabase(copyOf: "template0", body)
}

private func withDatabase<Value: Sendable>(
    copyOf template: String, _ body: (PostgresConfiguration) async throws -> Value
) async throws -> Value {
    let name = "test_\(TestDatabase.newSuffix())"
    try await TestDatabase.withServer { server in
        try await server.read(deadline: .seconds(60)) {
            try $0.run(script: "CREATE DATABASE \(name) TEMPLATE \(template)")
        }
    }
    let result: Result<Value, any Error>
    do {
        result = .success(try await body(TestDatabase.configuration().withDatabase(name)))
    } catch {
        result = .failure(error)
    }
    try await TestDatabase.drop(name)
    return try result.get()
}

/// Runs `body` and closes the pool however that ends.
package func closing<Value: Sendable>(
    _ pool: PostgresPool, _ body: () async throws -> Value
) async throws -> Value {
    do {
        let value = try await body()
        await pool.close()
        return value
    } catch {
        await pool.close()
        throw error
    }
}

extension Logger {
    /// Says nothing: what a test has to show, it asserts.
    package static var test: Logger {
        Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    }
}

package enum TestDatabase {
    /// The test stack's server, as its superuser.
    package static func configuration() throws -> PostgresConfiguration {
        try PostgresConfiguration(
            url: environment("TEST_DATABASE_URL"), applicationName: "celine-test")
    }

    /// A migrated database that others are copied from, made by whoever comes first.
    static func template() async throws -> String {
        let name = "celine_template_\(Migrations.fingerprint)"
        try await withServer { server in
            if try await exists(name, on: server) { return }
            let made: Void? = try await server.withAdvisoryLock(lock, waitMax: .seconds(120)) {
                if try await exists(name, on: server) { return }
                try await make(name, on: server)
            }
            guard made != nil else { throw PostgresError.busy }
        }
        return name
    }

    /// Any number that nobody else locks.
    private static let lock: Int64 = 0x7465_7374

    /// Under another name until it is whole: a run that is killed half-way leaves no half template.
    private static func make(_ name: String, on server: PostgresPool) async throws {
        let draft = "draft_\(newSuffix())"
        try await server.read(deadline: .seconds(60)) {
            try $0.run(script: "CREATE DATABASE \(draft) TEMPLATE template0")
        }
        let pool = PostgresPool(
            try configuration().withDatabase(draft), connectionCountMax: 2, waitMax: .seconds(5),
            logger: .test)
        try await closing(pool) { try await Migrations.run(pool, logger: .test) }
        try await server.read(deadline: .seconds(60)) {
            try waitUntilUnused(draft, $0)
            try $0.run(script: "ALTER DATABASE \(draft) RENAME TO \(name)")
        }
    }

    /// A session ends on the server a moment after it was closed here.
    private static func waitUntilUnused(_ name: String, _ session: Session) throws {
        while try !session.run(
            "SELECT pid FROM pg_stat_activity WHERE datname = \(name) LIMIT 1"
        ).isEmpty {
            try session.run("SELECT pg_sleep(0.01)")
        }
    }

    private static func exists(_ name: String, on server: PostgresPool) async throws -> Bool {
        try await server.read {
            try !$0.run("SELECT 1 AS found FROM pg_database WHERE datname = \(name)").isEmpty
        }
    }

    static func drop(_ name: String, on server: PostgresConfiguration? = nil) async throws {
        try await withServer(server) { server in
            // The server waits five seconds for the sessions it ends, which a busy machine may exceed.
            for attempt in 1... {
                do {
                    return try await server.read(deadline: .seconds(60)) {
                        try $0.run(script: "DROP DATABASE \(name) WITH (FORCE)")
                    }
                } catch PostgresError.refused("55006", _, _) where attempt < 10 {
                    continue
                }
            }
        }
    }

    /// - Parameter server: nil is the test stack's.
    static func withServer<Value: Sendable>(
        _ server: PostgresConfiguration? = nil, _ body: (PostgresPool) async throws -> Value
    ) async throws -> Value {
        let server = PostgresPool(
            try server ?? configuration(), connectionCountMax: 1, waitMax: .seconds(60),
            logger: .test)
        return try await closing(server) { try await body(server) }
    }

    static func newSuffix() -> String {
        UUID().uuidString.lowercased().replacing("-", with: "")
    }
}

extension TestDatabase {
    /// Ends a session from outside, as an operator would.
    package static func terminate(_ processID: Int) async throws {
        try await withServer { server in
            try await server.read { session in
                try session.run("SELECT pg_terminate_backend(\(Int32(processID)))")
                while try !session.run(
                    "SELECT pid FROM pg_stat_activity WHERE pid = \(processID)"
                ).isEmpty {
                    try session.run("SELECT pg_sleep(0.01)")
                }
            }
        }
    }
}
