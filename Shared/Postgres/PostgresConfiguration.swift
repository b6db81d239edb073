internal import CLibPQ
import FoundationEssentials

/// Where the database is and how to speak to it.
package struct PostgresConfiguration: Sendable {
    /// libpq's keywords and values.
    let parameters: [(String, String)]
    /// Run once on each new connection.
    let opening: [String]
    package let schema: String

    /// - Parameter url: `postgres://`, `postgresql://`, `postgresql+asyncpg://` (with asyncpg's
    ///   `?ssl=`), or libpq's `key=value` text.
    package init(url: String, schema: String = "celine_assistant") throws(PostgresError) {
        guard !schema.isEmpty, schema.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
        else { throw .misconfigured("the schema's name") }
        self.schema = schema
        let given = try Self.parse(Self.translated(url))
        var known = Set(given.map(\.0))
        parameters = given + Self.defaults.filter { known.insert($0.0).inserted }
        opening = [
            "SET search_path TO \(schema), public",
            "SET lock_timeout = '10s'",
            "SET idle_in_transaction_session_timeout = '60s'",
        ]
    }

    /// What a dead network must not hold up: seconds, and milliseconds for the last.
    private static let defaults = [
        ("connect_timeout", "5"), ("keepalives", "1"), ("keepalives_idle", "30"),
        ("keepalives_interval", "5"), ("keepalives_count", "3"), ("tcp_user_timeout", "15000"),
        ("application_name", "celine-assistant"), ("client_encoding", "UTF8"),
    ]

    private static func translated(_ url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return url }
        let name = url[..<scheme.lowerBound]
        guard name.hasPrefix("postgresql+") || name == "postgres" || name == "postgresql" else {
            return url
        }
        return "postgresql" + url[scheme.lowerBound...]
            .replacing("?ssl=true", with: "?sslmode=require")
            .replacing("&ssl=true", with: "&sslmode=require")
            .replacing("?ssl=", with: "?sslmode=")
            .replacing("&ssl=", with: "&sslmode=")
    }

    private static func parse(_ text: String) throws(PostgresError) -> [(String, String)] {
        var reason: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(text, &reason) else {
            PQfreemem(reason)
            throw .misconfigured("DATABASE_URL is no address of a database")
        }
        defer { PQconninfoFree(options) }
        var found: [(String, String)] = []
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val {
                found.append((String(cString: keyword), String(cString: value)))
            }
            option += 1
        }
        return found
    }
}
