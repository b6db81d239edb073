import Identity

/// All that the gateway is told by its environment.
struct GatewaySettings: Sendable {
    let host: String
    let port: Int
    let upstreams: [Upstream: [ReplicaAddress]]
    let internalAuthKey: String
    let issuer: String
    /// Nil: found by discovery.
    let jwksURL: String?
    let audiences: [String]
    let algorithms: [String]
    let cookieName: String?
    let adminGroup: String
    let publicOrigins: [String]
    let corsAllowedOrigins: [String]
    /// `SSL_CERT_FILE`
    let certificateFile: String?

    var tokenRules: TokenRules {
        TokenRules(
            issuer: issuer, audiences: audiences, algorithms: algorithms, adminGroup: adminGroup)
    }

    /// Everything that is wrong, at once. Names settings, never their values.
    struct Refusal: Error, CustomStringConvertible {
        let problems: [String]

        var description: String {
            "the gateway does not start with these settings:\n"
                + problems.map { "  " + $0 }.joined(separator: "\n")
        }
    }

    init(environment: [String: String]) throws(Refusal) {
        var reader = Reader(environment: environment)
        let isDev = reader.text("APP_ENV") == "dev"
        host = reader.text("HTTP_HOST") ?? "127.0.0.1"
        port = reader.port("HTTP_PORT") ?? 8000
        var upstreams: [Upstream: [ReplicaAddress]] = [:]
        for (upstream, port) in [(Upstream.chat, 8101), (.ingest, 8102), (.admin, 8103)] {
            upstreams[upstream] = reader.addresses(
                upstream.rawValue.uppercased() + "_URL",
                orInDev: isDev ? "http://127.0.0.1:\(port)" : nil)
        }
        self.upstreams = upstreams
        internalAuthKey = reader.internalAuthKey()
        issuer = reader.required("OAUTH2_ISSUER")
        jwksURL = reader.text("OAUTH2_JWKS_URL") ?? reader.text("CELINE_OIDC_JWKS_URI")
        audiences =
            reader.list("OAUTH2_AUDIENCE") ?? reader.list("CELINE_OIDC_AUDIENCE")
            ?? ["oauth2_proxy"]
        algorithms = reader.algorithms()
        cookieName = reader.text("OAUTH2_JWT_COOKIE_NAME")
        adminGroup = reader.text("ADMIN_GROUP") ?? "admins"
        publicOrigins = reader.origins("PUBLIC_ORIGINS")
        corsAllowedOrigins = reader.origins("CORS_ALLOWED_ORIGINS")
        certificateFile = reader.text("SSL_CERT_FILE")
        reader.refuseTrustedHeaders()
        if !reader.problems.isEmpty { throw Refusal(problems: reader.problems) }
    }

    /// Reads one setting after the other and remembers what is wrong with each.
    private struct Reader {
        let environment: [String: String]
        var problems: [String] = []

        /// An empty value means unset.
        func text(_ name: String) -> String? {
            guard let value = environment[name], !value.isEmpty else { return nil }
            return value
        }

        mutating func required(_ name: String) -> String {
            if let value = text(name) { return value }
            problems.append("\(name) is missing")
            return ""
        }

        mutating func port(_ name: String) -> Int? {
            guard let value = text(name) else { return nil }
            if let port = Int(value), (0...65_535).contains(port) { return port }
            problems.append("\(name) is no port number")
            return nil
        }

        /// A JSON list of strings, or words with commas.
        func list(_ name: String) -> [String]? {
            guard let value = text(name) else { return nil }
            let separators: Set<Character> = [",", "[", "]", "\"", "'", " ", "\t", "\n"]
            let words = value.split(whereSeparator: separators.contains).map(String.init)
            return words.isEmpty ? nil : words
        }

        mutating func addresses(_ name: String, orInDev fallback: String?) -> [ReplicaAddress] {
            guard let texts = list(name) ?? fallback.map({ [$0] }) else {
                problems.append("\(name) is missing")
                return []
            }
            let addresses = texts.compactMap { ReplicaAddress($0) }
            if addresses.count != texts.count {
                problems.append("\(name) is not a list of http://host:port")
            }
            return addresses
        }

        mutating func internalAuthKey() -> String {
            let name = "INTERNAL_AUTH_KEY"
            let key = required(name)
            if key.isEmpty { return key }
            do {
                _ = try InternalTokenIssuer(privateKey: key)
            } catch {
                problems.append("\(name) \(error)")
            }
            return key
        }

        mutating func algorithms() -> [String] {
            let name = "OAUTH2_ALGORITHMS"
            let algorithms = list(name) ?? ["RS256"]
            if !algorithms.allSatisfy(TokenRules.knownAlgorithms.contains) {
                problems.append(
                    "\(name) may name " + TokenRules.knownAlgorithms.joined(separator: ", "))
            }
            return algorithms
        }

        /// `*` would let every site act for a visitor.
        mutating func origins(_ name: String) -> [String] {
            let origins = list(name) ?? []
            for origin in origins {
                let parts = origin.split(separator: "://", maxSplits: 1)
                let isOrigin =
                    parts.count == 2 && ["http", "https"].contains(parts[0].lowercased())
                    && !parts[1].isEmpty && !parts[1].contains("*")
                    && !parts[1].dropLast().contains("/")
                if !isOrigin {
                    problems.append("\(name) is not a list of origins, https://host[:port] each")
                    break
                }
            }
            return origins
        }

        mutating func refuseTrustedHeaders() {
            let name = "OAUTH2_TRUST_HEADERS"
            if ["true", "1", "yes", "on"].contains(text(name)?.lowercased() ?? "") {
                problems.append("\(name) cannot be honoured: only verified tokens are believed")
            }
        }
    }
}
