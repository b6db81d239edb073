import HTTPTypes
package import Hummingbird
package import Identity
package import Logging
package import NIOCore
package import ServiceRuntime

/// A router that names its requests and answers errors as problem details.
package func serviceRouter() -> Router<OpenContext> {
    let router = Router(context: OpenContext.self)
    router.add(middleware: RequestIDMiddleware())
    router.add(middleware: ProblemMiddleware())
    return router
}

extension Router<OpenContext> {
    /// The routes of verified callers.
    package func members(
        _ verifier: InternalTokenVerifier
    ) -> RouterGroup<ServiceContext> {
        members(PrincipalMiddleware(verifier: verifier))
    }

    package func members(_ middleware: PrincipalMiddleware) -> RouterGroup<ServiceContext> {
        group().add(middleware: middleware).group(context: ServiceContext.self)
    }
}

/// The HTTP side of a service, ready to run. `onServerRunning` learns the port of port 0.
package func application(
    router: Router<OpenContext>, settings: HTTPSettings, logger: Logger,
    onServerRunning: @escaping @Sendable (any Channel) async -> Void = { _ in }
) -> Application<MethodCheck<RouterResponder<OpenContext>>> {
    Application(
        responder: MethodCheck(
            table: MethodTable(router.routes), inner: router.buildResponder()),
        configuration: ApplicationConfiguration(
            address: .hostname(settings.host, port: settings.port)),
        onServerRunning: onServerRunning, logger: logger)
}

/// Answers 405 where the router, which knows no such thing, would answer 404.
package struct MethodCheck<Inner: HTTPResponder>: HTTPResponder
where Inner.Context == OpenContext {
    let table: MethodTable
    let inner: Inner

    package func respond(
        to request: Request, context: OpenContext
    ) async throws -> Response {
        guard let allowed = table.others(for: request.method, path: request.uri.path) else {
            return try await inner.respond(to: request, context: context)
        }
        return try await RequestIDMiddleware().handle(request, context: context) {
            try Problem.methodNotAllowed(allowed).response(from: $0, context: $1)
        }
    }
}

/// Which methods each path answers.
struct MethodTable: Sendable {
    private let routes: [(path: [String], method: HTTPRequest.Method)]

    init(_ routes: [Router<OpenContext>.RouteDescription]) {
        self.routes = routes.map { (Self.parts($0.path.description), $0.method) }
    }

    /// The methods of a path that exists but does not answer this one; else nil.
    func others(
        for method: HTTPRequest.Method, path: String
    ) -> [HTTPRequest.Method]? {
        let parts = Self.parts(path)
        let methods = routes.filter { Self.matches($0.path, parts) }.map(\.method)
        return methods.isEmpty || methods.contains(method) ? nil : Array(Set(methods))
    }

    private static func parts(_ path: String) -> [String] {
        path.split(separator: "/").map(String.init)
    }

    private static func matches(_ pattern: [String], _ parts: [String]) -> Bool {
        if pattern.last == "**" { return zip(pattern.dropLast(), parts).allSatisfy(matches) }
        return pattern.count == parts.count && zip(pattern, parts).allSatisfy(matches)
    }

    private static func matches(_ pattern: String, _ part: String) -> Bool {
        pattern == part || pattern == "*" || pattern.hasPrefix(":") || pattern.contains("{")
    }
}
