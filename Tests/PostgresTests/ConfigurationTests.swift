import Testing

@testable import Postgres

@Suite("Database URL")
struct ConfigurationTests {
    @Test("is read in the forms that deployments have")
    func reads() throws {
        let keywords = try PostgresConfiguration(
            url: "postgresql+asyncpg://celine:p%40ss@db.example.org:6432/celine?ssl=require"
        ).keywords
        #expect(keywords["user"] == "celine")
        #expect(keywords["password"] == "p@ss")
        #expect(keywords["host"] == "db.example.org")
        #expect(keywords["port"] == "6432")
        #expect(keywords["dbname"] == "celine")
        #expect(keywords["sslmode"] == "require")
        #expect(keywords["connect_timeout"] == "5")
        let plain = try PostgresConfiguration(url: "host=/run/postgresql dbname=x").keywords
        #expect(plain["host"] == "/run/postgresql")
        let short = try PostgresConfiguration(url: "postgres://localhost/x?sslmode=disable")
        #expect(short.keywords["sslmode"] == "disable")
    }

    @Test(
        "asyncpg's ssl is libpq's sslmode",
        arguments: [
            ("disable", "disable"), ("prefer", "prefer"), ("verify-full", "verify-full"),
            ("true", "verify-full"), ("False", "disable"),
        ])
    func translates(given: String, mode: String) throws {
        let keywords = try PostgresConfiguration(
            url: "postgresql://h/d?application_name=a&ssl=\(given)", certificateFile: "/ca.pem"
        ).keywords
        #expect(keywords["sslmode"] == mode)
        #expect(keywords["application_name"] == "a")
        #expect(keywords["sslrootcert"] == (mode == "verify-full" ? "/ca.pem" : nil))
    }

    @Test(
        "a wrong one is refused without being repeated",
        arguments: [
            "mysql://u:secret@h/d", "postgresql+asyncpg+x://u:secret@h/d",
            "postgresql://u:secret@h/d?ssl=perhaps", "postgresql://u:secret@h/d?nonsense=1",
            "secret",
        ])
    func refuses(url: String) {
        let error = #expect(throws: PostgresError.self) { try PostgresConfiguration(url: url) }
        guard case .misconfigured(let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(!reason.contains("secret"))
    }
}
