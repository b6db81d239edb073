package import Postgres

/// An empty database that processes of their own find by its address.
package struct NamedDatabase: Sendable {
    package let name: String
    package let url: String
    package let configuration: PostgresConfiguration
    private let server: PostgresConfiguration

    /// - Parameter server: the address of its maintenance database; nil is the test stack's.
    package init(on server: String? = nil) async throws {
        let name = "system_\(TestDatabase.newSuffix())"
        let address = try server ?? environment("TEST_DATABASE_URL")
        guard let end = address.lastIndex(of: "/") else { throw MissingEnvironment(name: address) }
        self.name = name
        url = address[...end] + name
        self.server = try PostgresConfiguration(url: address, applicationName: "celine-test")
        configuration = self.server.withDatabase(name)
        try await TestDatabase.withServer(self.server) { server in
            try await server.read(deadline: .seconds(60)) {
                try $0.run(script: "CREATE DATABASE \(name) TEMPLATE template0")
            }
        }
    }

    package func drop() async throws { try await TestDatabase.drop(name, on: server) }

    /// A short look at what is in it.
    package func read<Value: Sendable>(
        _ body: @Sendable (Session) throws -> Value
    ) async throws -> Value {
        let pool = PostgresPool(
            configuration, connectionCountMax: 1, waitMax: .seconds(30), logger: .test)
        return try await closing(pool) { try await pool.read(deadline: .seconds(60), body) }
    }
}
