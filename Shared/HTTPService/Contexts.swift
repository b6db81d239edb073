package import Domain
package import Hummingbird
package import Identity
import Logging
package import ServiceRuntime

/// A request before it is known who asks.
package struct OpenContext: RequestContext {
    static let requestIDKey = "request.id"

    package var coreContext: CoreRequestContextStorage
    package var requestID = ServiceRuntime.RequestID()
    var caller: Caller?

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
    }
}

/// A request of a verified caller. There is none without one.
package struct ServiceContext: ChildRequestContext {
    package var coreContext: CoreRequestContextStorage
    package let requestID: ServiceRuntime.RequestID
    package let caller: Caller

    package var principal: Principal { caller.principal }

    /// Who is written down for what this request does.
    package var author: AuditAuthor {
        AuditAuthor(
            actor: principal.user.rawValue, isAdmin: principal.isAdmin,
            requestID: requestID.description)
    }

    package init(context: OpenContext) throws {
        guard let caller = context.caller else { throw Problem.unauthorized }
        coreContext = context.coreContext
        requestID = context.requestID
        self.caller = caller
    }
}

/// Reads who asks from the gateway's own token.
package struct PrincipalMiddleware: RouterMiddleware {
    package typealias Context = OpenContext
    private let verify: @Sendable (String) async throws -> Caller

    package init(verify: @escaping @Sendable (String) async throws -> Caller) {
        self.verify = verify
    }

    package init(verifier: InternalTokenVerifier) {
        self.init { try await verifier.verify($0) }
    }

    package func handle(
        _ request: Request, context: OpenContext,
        next: @concurrent (Request, OpenContext) async throws -> Response
    ) async throws -> Response {
        guard let header = request.headers[.authorization],
            header.lowercased().hasPrefix("bearer ")
        else { throw Problem.unauthorized }
        var context = context
        do {
            context.caller = try await verify(String(header.dropFirst("bearer ".count)))
        } catch {
            context.logger.warning("internal token refused", metadata: ["reason": "\(error)"])
            throw Problem.unauthorized
        }
        return try await next(request, context)
    }
}
