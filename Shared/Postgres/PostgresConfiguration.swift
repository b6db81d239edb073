internal import CLibPQ

/// Where the database is, and what every connection to it is set to.
package struct PostgresConfiguration: Sendable {
    /// libpq's keywords and values.
    var keywords: [String: String]
    package let schema: String

    /// - Parameters:
    ///   - url: `postgres://`, `postgresql://`, `postgresql+asyncpg://` or libpq's `host=… dbname=…`.
    ///     asyncpg's `?ssl=` is understood as `sslmode`.
    ///   - schema: the one that unqualified names mean. Nothing else is searched.
    ///   - certificateFile: whom to trust where the TLS mode verifies and the URL names no
    ///     `sslrootcert`; nil is the system's.
    package init(
        url: String, schema: String = "celine_assistant", applicationName: String = "celine",
        certificateFile: String? = nil
    ) throws(PostgresError) {
        var keywords = try Self.parse(Self.libpqURL(url))
        let defaults = [
            "application_name": applicationName, "connect_timeout": "5",
            // A peer that vanished is noticed within about half a minute.
            "keepalives": "1", "keepalives_idle": "15", "keepalives_interval": "5",
            "keepalives_count": "3", "tcp_user_timeout": "30000",
        ]
        keywords.merge(defaults) { given, _ in given }
        keywords["client_encoding"] = "UTF8"
        if keywords["sslmode"]?.hasPrefix("verify-") == true, keywords["sslrootcert"] == nil {
            keywords["sslrootcert"] = certificateFile ?? "/etc/ssl/certs/ca-certificates.crt"
        }
        self.keywords = keywords
        self.schema = schema
    }

    /// The same server, another database.
    package func withDatabase(_ name: String) -> PostgresConfiguration {
        var copy = self
        copy.keywords["dbname"] = name
        return copy
    }

    /// Run on every new connection. A row lock is waited for a third as long as a transaction may
    /// last; a server that lost us finds out within 10 s.
    var preparation: SQL {
        """
        SELECT set_config('search_path', quote_ident(\(schema)), false),
               set_config('lock_timeout', '10s', false),
               set_config('idle_in_transaction_session_timeout', '60s', false),
               set_config('client_connection_check_interval', '10s', false),
               set_config('timezone', 'UTC', false)
        """
    }

    /// SQLAlchemy's and asyncpg's ways of writing, as libpq's. Its own pass unchanged.
    private static func libpqURL(_ url: String) throws(PostgresError) -> String {
        guard let end = url.firstRange(of: "://") else { return url }
        let scheme = url[..<end.lowerBound].split(separator: "+", omittingEmptySubsequences: false)
        guard let name = scheme.first, name == "postgresql" || name == "postgres",
            scheme.count <= 2
        else { throw .misconfigured("the database URL's scheme is not postgresql") }
        let rest = url[end.upperBound...].split(
            separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var parameters: [String] = []
        if rest.count == 2 {
            for parameter in rest[1].split(separator: "&") {
                try append(parameter, to: &parameters)
            }
        }
        let query = parameters.isEmpty ? "" : "?" + parameters.joined(separator: "&")
        return "postgresql://\(rest[0])\(query)"
    }

    private static func append(
        _ parameter: Substring, to parameters: inout [String]
    ) throws(PostgresError) {
        let parts = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        switch parts[0] {
        case "ssl":
            parameters.append("sslmode=\(try tlsMode(parts.count == 2 ? parts[1] : ""))")
        // How asyncpg and SQLAlchemy prepare and pool; ours to decide.
        case "prepared_statement_cache_size", "statement_cache_size", "async_fallback",
            "command_timeout":
            break
        default: parameters.append(String(parameter))
        }
    }

    /// asyncpg's `True` makes a context that verifies.
    private static func tlsMode(_ text: Substring) throws(PostgresError) -> String {
        switch text.lowercased() {
        case "disable", "allow", "prefer", "require", "verify-ca", "verify-full":
            text.lowercased()
        case "true", "1", "on": "verify-full"
        case "false", "0", "off": "disable"
        default: throw .misconfigured("the database URL's ssl mode is unknown")
        }
    }

    /// libpq's own message is left out: it repeats the URL, password and all.
    private static func parse(_ url: String) throws(PostgresError) -> [String: String] {
        guard let options = PQconninfoParse(url, nil) else {
            throw .misconfigured("the database URL cannot be read")
        }
        defer { PQconninfoFree(options) }
        var keywords: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val {
                keywords[String(cString: keyword)] = String(cString: value)
            }
            option += 1
        }
        return keywords
    }
}
