import Domain
import HTTPService
import Hummingbird

/// Lets operators through, before anything else of a request is looked at.
struct AdminGate: RouterMiddleware {
    typealias Context = ServiceContext

    func handle(
        _ request: Request, context: ServiceContext,
        next: @concurrent (Request, ServiceContext) async throws -> Response
    ) async throws -> Response {
        guard context.principal.isAdmin else { throw Problem.adminOnly }
        return try await next(request, context)
    }
}
