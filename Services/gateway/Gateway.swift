import Identity
import Logging
import NIOCore
import OutboundHTTP
import ServiceLifecycle
import ServiceRuntime

/// The gateway put together from its settings.
struct GatewayComposition: Sendable {
    let keys: IssuerKeys
    let watch: ReplicaWatch
    /// Nil for plain HTTP.
    let identity: ServerIdentity?
    let server: GatewayServer

    /// All that runs, in the order of its start.
    func services() -> [any Service] {
        var services: [any Service] = [keys, watch]
        if let identity { services.append(identity) }
        return services + [server]
    }

    init(
        settings: GatewaySettings, http: OutboundHTTP, logger: Logger,
        resolve: @escaping NameResolver = resolveBySystem,
        limits: RequestLimits? = nil, accessLog: LogOutput? = nil,
        drainMax: TimeAmount? = nil,
        onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws {
        let rules = settings.tokenRules
        keys = IssuerKeys(
            source: KeySource(issuer: settings.issuer, jwksURL: settings.jwksURL, http: http),
            algorithms: settings.algorithms, logger: logger)
        watch = ReplicaWatch(
            directory: ReplicaDirectory(settings.upstreams),
            interval: settings.upstreamCheckInterval, http: http, logger: logger,
            resolve: resolve)
        identity = try settings.tls.map { try ServerIdentity($0, logger: logger) }
        let verifier = TokenVerifier(rules: rules, keys: keys)
        server = GatewayServer(
            host: settings.http.host, port: settings.http.port,
            rules: DoorRules(
                routes: Routes(),
                tokenSource: TokenSource(cookieName: settings.cookieName),
                crossSite: CrossSite(
                    publicOrigins: settings.publicOrigins,
                    allowedOrigins: settings.corsAllowedOrigins),
                verifier: verifier,
                issuer: try InternalTokenIssuer(privateKey: settings.internalAuthKey),
                replicas: watch.directory,
                limits: limits ?? settings.limits,
                clientLimits: ClientLimits(settings.clientLimits),
                trustedProxies: settings.trustedProxies,
                identity: identity, readiness: Readiness(watch: watch, verifier: verifier),
                docs: settings.docs, logger: logger, accessLog: accessLog),
            farewell: settings.farewell, drainMax: drainMax ?? GatewayServer.drainMax,
            onListening: onListening)
    }
}
