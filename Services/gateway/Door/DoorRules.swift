import Identity
import Logging
import ServiceRuntime

/// What decides over a request, the same on every event loop.
struct DoorRules: Sendable {
    let routes: Routes
    let tokenSource: TokenSource
    let crossSite: CrossSite
    let verifier: TokenVerifier
    let issuer: InternalTokenIssuer
    let replicas: ReplicaDirectory
    let limits: RequestLimits
    let clientLimits: ClientLimits
    let trustedProxies: TrustedProxies
    /// Nil for plain HTTP.
    let identity: ServerIdentity?
    let readiness: Readiness
    let docs: DocsPages
    let logger: Logger
    /// Nil for no lines about requests.
    let accessLog: LogOutput?
}
