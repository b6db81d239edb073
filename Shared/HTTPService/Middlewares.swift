import HTTPTypes
package import Hummingbird
import Logging
import NIOCore
import ServiceRuntime

extension HTTPField.Name {
    static let requestID = HTTPField.Name(ServiceRuntime.RequestID.headerName)
    static let traceParent = HTTPField.Name("traceparent")
}

/// Gives the request its id and writes the one line that says how it was answered.
package struct RequestIDMiddleware: RouterMiddleware {
    package typealias Context = OpenContext

    package init() {}

    package func handle(
        _ request: Request, context: OpenContext,
        next: @concurrent (Request, OpenContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        var context = context
        let sent = HTTPField.Name.requestID.flatMap { request.headers[$0] }
        context.requestID = ServiceRuntime.RequestID(accepting: sent)
        context.logger[metadataKey: OpenContext.requestIDKey] = "\(context.requestID)"
        context.logger[metadataKey: "hb.request.id"] = nil
        if let trace = Self.trace(of: request) {
            context.logger[metadataKey: "trace.id"] = "\(trace)"
        }
        var response = try await next(request, context)
        if let name = HTTPField.Name.requestID {
            response.headers[name] = context.requestID.description
        }
        let isProbe = request.uri.path.hasPrefix("/internal/")
        context.logger.log(
            level: isProbe ? .debug : .info, "request answered",
            metadata: [
                "http.method": "\(request.method)",
                "http.route": "\(context.endpointPath ?? "none")",
                "http.status": "\(response.status.code)",
                "duration.ms": "\((ContinuousClock.now - start) / .milliseconds(1))",
            ])
        return response
    }
}

extension RequestIDMiddleware {
    /// As the gateway has written it (W3C Trace Context, 3.2.2).
    private static func trace(of request: Request) -> Substring? {
        let header = HTTPField.Name.traceParent.flatMap { request.headers[$0] }
        let parts = header?.split(separator: "-") ?? []
        guard parts.count >= 4, parts[1].utf8.count == 32, parts[1].allSatisfy(\.isHexDigit) else {
            return nil
        }
        return parts[1]
    }
}

/// Turns every error into problem details. What is not ours to show is logged instead.
package struct ProblemMiddleware: RouterMiddleware {
    package typealias Context = OpenContext

    package init() {}

    package func handle(
        _ request: Request, context: OpenContext,
        next: @concurrent (Request, OpenContext) async throws -> Response
    ) async throws -> Response {
        do {
            // The one character that no text of Postgres can hold, as in bodies.
            if request.uri.string.contains("%00") {
                throw Problem.invalid("", "The address must not hold the character U+0000.")
            }
            return try await next(request, context)
        } catch let problem as Problem {
            return try problem.response(from: request, context: context)
        } catch {
            return try Self.problem(of: error, context: context)
                .response(from: request, context: context)
        }
    }

    private static func problem(of error: any Error, context: OpenContext) -> Problem {
        switch error {
        case let error as any HTTPResponseError where error.status == .notFound: return .notFound
        case let error as any HTTPResponseError where error.status.code < 500:
            return Problem(
                error.status, code: "refused", detail: "The request cannot be answered as it is.")
        case is NIOTooManyBytesError:
            return Problem(
                .contentTooLarge, code: "body_too_large", detail: "The body is too large.")
        case is CancellationError:
            // The client went away, or the service stops: nobody reads this answer.
            return .unavailable("The service is stopping.")
        default:
            context.logger.error(
                "request failed",
                metadata: ["error": "\(String(reflecting: type(of: error))): \(error)"])
            return .failed
        }
    }
}
