package import Postgres

/// An empty database that processes of their own find by its address.
package struct NamedDatabase: Sendable {
    package let name: String
    package let url: String
    package let configuration: PostgresConfiguration

    package init() async throws {
        let name = "system_\(TestDatabase.newSuffix())"
        let server = try environment("TEST_DATABASE_URL")
        guard let end = server.lastIndex(of: "/") else { throw MissingEnvironment(name: server) }
        self.name = name
        url = server[...end] + name
        configuration = try TestDatabase.configuration().withDatabase(name)
        try await TestDatabase.withServer { server in
            try await server.read(deadline: .seconds(60)) {
                try $0.run(script: "CREATE DATABASE \(name) TEMPLATE template0")
            }
        }
    }

    package func drop() async throws { try await TestDatabase.drop(name) }

    /// A short look at what is in it.
    package func read<Value: Sendable>(
        _ body: @Sendable (Session) throws -> Value
    ) async throws -> Value {
        let pool = PostgresPool(
            configuration, connectionCountMax: 1, waitMax: .seconds(10), logger: .test)
        return try await closing(pool) { try await pool.read(body) }
    }
}
