import Identity
import ServiceRuntime

/// All that the gateway is told by its environment.
struct GatewaySettings: Sendable {
    let runtime: RuntimeSettings
    let http: HTTPSettings
    let upstreams: [Upstream: [ReplicaAddress]]
    let upstreamCheckInterval: Duration
    /// Between saying that it is not ready and taking no more connections.
    let farewell: Duration
    let internalAuthKey: String
    let issuer: String
    /// Nil: found by discovery.
    let jwksURL: String?
    let audiences: [String]
    let algorithms: [String]
    let cookieName: String?
    let adminGroup: String
    let adminRole: String
    let publicOrigins: [String]
    let corsAllowedOrigins: [String]
    let trustedProxies: TrustedProxies
    let tls: TLSFiles?
    let docs: DocsPages
    let limits: RequestLimits
    let clientLimits: ClientLimits.Settings

    var tokenRules: TokenRules {
        TokenRules(
            issuer: issuer, audiences: audiences, algorithms: algorithms, adminGroup: adminGroup,
            adminRole: adminRole)
    }

    init(from reader: inout SettingsReader) throws(SettingsError) {
        runtime = RuntimeSettings(from: &reader)
        http = HTTPSettings(from: &reader, defaultPort: 8000)
        upstreams = [
            .chat: reader.replicas("CHAT_URL", devPort: 8101),
            .ingest: reader.replicas("INGEST_URL", devPort: 8102),
            .admin: reader.replicas("ADMIN_URL", devPort: 8103),
        ]
        upstreamCheckInterval = .seconds(
            reader.count("UPSTREAM_CHECK_SECONDS", default: 5, in: 1...300))
        let isDev = reader.appEnvironment == .dev
        farewell = .seconds(reader.count("STOP_DELAY_SECONDS", default: isDev ? 0 : 3, in: 0...60))
        internalAuthKey = reader.internalAuthKey()
        issuer = reader.text("OAUTH2_ISSUER")
        let configured = reader.optionalURL("OAUTH2_JWKS_URL")
        jwksURL = configured ?? reader.optionalURL("CELINE_OIDC_JWKS_URI")
        let fallback = reader.list("CELINE_OIDC_AUDIENCE", default: ["oauth2_proxy"])
        audiences = reader.list("OAUTH2_AUDIENCE", default: fallback)
        algorithms = reader.algorithms()
        cookieName = reader.optionalText("OAUTH2_JWT_COOKIE_NAME")
        adminGroup = reader.text("ADMIN_GROUP", default: "admins")
        adminRole = reader.text("ADMIN_ROLE", default: "")
        publicOrigins = reader.origins("PUBLIC_ORIGINS")
        corsAllowedOrigins = reader.origins("CORS_ALLOWED_ORIGINS")
        trustedProxies = reader.trustedProxies()
        tls = reader.tls()
        docs = reader.docs()
        limits = RequestLimits(from: &reader)
        clientLimits = ClientLimits.Settings(from: &reader)
        try reader.finish()
    }
}

extension SettingsReader {
    fileprivate mutating func replicas(_ name: String, devPort: Int) -> [ReplicaAddress] {
        let texts = urls(name, dev: ["http://127.0.0.1:\(devPort)"])
        let addresses = texts.compactMap { ReplicaAddress($0) }
        if addresses.count != texts.count {
            problem("\(name) must be one or more of http://host:port, between commas")
        }
        return addresses
    }

    fileprivate mutating func tls() -> TLSFiles? {
        let certificate = optionalText("TLS_CERTIFICATE_FILE")
        let key = optionalText("TLS_KEY_FILE")
        guard let certificate, let key else {
            if certificate != nil || key != nil {
                problem("TLS_CERTIFICATE_FILE and TLS_KEY_FILE must both be set, or neither")
            }
            return nil
        }
        let files = TLSFiles(certificate: certificate, key: key)
        do {
            _ = try files.read().makeContext()
        } catch {
            problem("TLS_CERTIFICATE_FILE and TLS_KEY_FILE must be PEM files, the key that chain's")
        }
        return files
    }

    fileprivate mutating func docs() -> DocsPages {
        guard let folder = optionalText("DOCS_VIEWER") else { return .plain }
        guard let pages = DocsPages(viewerFolder: folder) else {
            problem("DOCS_VIEWER must be a folder with swagger-ui-bundle.js and swagger-ui.css")
            return .plain
        }
        return pages
    }

    fileprivate mutating func internalAuthKey() -> String {
        let key = secret("INTERNAL_AUTH_KEY")
        if key.isEmpty { return key }
        do {
            _ = try InternalTokenIssuer(privateKey: key)
        } catch {
            problem("INTERNAL_AUTH_KEY \(error)")
        }
        return key
    }

    /// A secret shared with the issuer, or no signature at all, is never an option.
    fileprivate mutating func algorithms() -> [String] {
        let algorithms = list("OAUTH2_ALGORITHMS", default: ["RS256"])
        if algorithms.isEmpty || !algorithms.allSatisfy(TokenRules.knownAlgorithms.contains) {
            let known = TokenRules.knownAlgorithms.joined(separator: ", ")
            problem("OAUTH2_ALGORITHMS may name \(known)")
        }
        return algorithms
    }

    fileprivate mutating func trustedProxies() -> TrustedProxies {
        let texts = list("TRUSTED_PROXIES")
        let networks = texts.compactMap { IPNetwork($0) }
        if networks.count != texts.count {
            problem("TRUSTED_PROXIES must be addresses or networks (10.0.0.0/8), between commas")
        }
        return TrustedProxies(networks: networks)
    }

    /// `*` is refused: it would let every site act for a visitor.
    fileprivate mutating func origins(_ name: String) -> [String] {
        let origins = list(name)
        if !origins.allSatisfy(Self.isOrigin) {
            problem("\(name) must be origins, https://host[:port] each, between commas")
        }
        return origins
    }

    private static func isOrigin(_ text: String) -> Bool {
        for scheme in ["https://", "http://"] where text.lowercased().hasPrefix(scheme) {
            let authority = text.dropFirst(scheme.count)
            return !authority.isEmpty && !authority.contains("*")
                && !authority.dropLast().contains("/")
        }
        return false
    }
}
