import Logging
import TestSupport
import Testing

@testable import Postgres

/// A server whose certificate says `db.example.org`, signed by an authority that no system knows.
@Suite("TLS to Postgres")
struct EncryptionTests {
    private static let hostName = "db.example.org"

    @Test("is there where the URL demands it, in libpq's words and in asyncpg's")
    func encrypts() async throws {
        try await withServer { server, authority in
            for (query, isEncrypted) in [
                ("sslmode=require", true), ("ssl=require", true), ("sslmode=prefer", true),
                ("sslmode=disable", false), ("ssl=false", false),
            ] {
                let url = url(of: server, query).replacing("postgresql:", with: "postgres:")
                let found = try await self.isEncrypted(PostgresConfiguration(url: url))
                #expect(found == isEncrypted, "\(query)")
            }
            let asyncpg = url(of: server, "ssl=require")
                .replacing("postgresql:", with: "postgresql+asyncpg:")
            #expect(try await isEncrypted(PostgresConfiguration(url: asyncpg)))
        }
    }

    @Test("proves who the server is, by the authority of the URL or of the process")
    func verifies() async throws {
        try await withServer { server, authority in
            let named = url(of: server, "sslmode=verify-full&sslrootcert=\(authority)")
            #expect(try await isEncrypted(PostgresConfiguration(url: named)))
            for query in ["sslmode=verify-full", "ssl=verify-full", "ssl=true", "ssl=verify-ca"] {
                let configuration = try PostgresConfiguration(
                    url: url(of: server, query), certificateFile: authority)
                #expect(try await isEncrypted(configuration), "\(query)")
            }
        }
    }

    @Test("is refused, and says why, when the authority is another or the name does not match")
    func refuses() async throws {
        try await withServer { server, authority in
            let other = try TestCertificates(
                in: server.folder, named: "other", run: server.runAsServer)
            let system = try PostgresConfiguration(url: url(of: server, "sslmode=verify-full"))
            let wrong = try PostgresConfiguration(
                url: url(of: server, "sslmode=verify-full"), certificateFile: other.authority)
            for configuration in [system, wrong] {
                #expect(
                    try await refusal(of: configuration).contains("certificate verify failed"))
            }
            let elsewhere = try PostgresConfiguration(
                url: server.url(
                    database: "postgres", host: "db.example.net",
                    query: "?hostaddr=127.0.0.1&sslmode=verify-full"),
                certificateFile: authority)
            let reason = try await refusal(of: elsewhere)
            #expect(reason.contains("db.example.net") && reason.contains("does not match"))
            // The authority alone is asked for here: the name is not looked at.
            let anyName = try PostgresConfiguration(
                url: server.url(
                    database: "postgres", host: "db.example.net",
                    query: "?hostaddr=127.0.0.1&sslmode=verify-ca"),
                certificateFile: authority)
            #expect(try await isEncrypted(anyName))
        }
    }

    @Test("is not done without when the server has none")
    func demands() async throws {
        try await withPostgresServer { server in
            try await server.start()
            let configuration = try PostgresConfiguration(url: url(of: server, "ssl=require"))
            #expect(try await refusal(of: configuration).contains("does not support SSL"))
        }
    }

    private func withServer(
        _ body: (_ server: PostgresServer, _ authority: String) async throws -> Void
    ) async throws {
        try await withPostgresServer { server in
            let authority = try TestCertificates(
                in: server.folder, named: "authority", run: server.runAsServer)
            let certificate = try authority.server(hostName: Self.hostName)
            try await server.start([
                "ssl": "on", "ssl_cert_file": certificate.certificate,
                "ssl_key_file": certificate.key,
            ])
            try await body(server, authority.authority)
        }
    }

    /// The name is not looked up: the address is given beside it.
    private func url(of server: PostgresServer, _ query: String) -> String {
        server.url(
            database: "postgres", host: Self.hostName, query: "?hostaddr=127.0.0.1&\(query)")
    }

    /// As the server sees it.
    private func isEncrypted(_ configuration: PostgresConfiguration) async throws -> Bool {
        let pool = pool(configuration)
        return try await closing(pool) {
            try await pool.read {
                try $0.run("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").first?
                    .get("ssl") ?? false
            }
        }
    }

    /// What the caller hears.
    private func refusal(of configuration: PostgresConfiguration) async throws -> String {
        let pool = pool(configuration)
        return try await closing(pool) {
            let error = await #expect(throws: PostgresError.self) {
                try await pool.read { try $0.run("SELECT 1") }
            }
            guard case .unreachable(let reason) = error else {
                Issue.record("\(String(describing: error))")
                return ""
            }
            return reason
        }
    }

    private func pool(_ configuration: PostgresConfiguration) -> PostgresPool {
        PostgresPool(
            configuration, connectionCountMax: 1, waitMax: .seconds(10), logger: .test)
    }
}
