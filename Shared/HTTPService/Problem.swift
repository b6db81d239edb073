import FoundationEssentials
package import HTTPTypes
package import Hummingbird
import Logging

/// An answer that is no success: problem details for HTTP (RFC 9457).
///
/// Everything in it reaches the client, so it is written by us, never taken from another error.
package struct Problem: HTTPResponseError, Hashable {
    /// One thing that is wrong with what the client sent.
    package struct Invalid: Hashable, Sendable, Encodable {
        /// A JSON pointer (RFC 6901) into the body; a query's parameter is a pointer too.
        package let pointer: String
        package let detail: String

        package init(pointer: String, detail: String) {
            self.pointer = pointer
            self.detail = detail
        }
    }

    package let status: HTTPResponse.Status
    /// Stable, snake_case, for programs.
    package let code: String
    /// For people.
    package let detail: String
    package let errors: [Invalid]
    package let headers: HTTPFields

    package init(
        _ status: HTTPResponse.Status, code: String, detail: String, errors: [Invalid] = [],
        headers: HTTPFields = [:]
    ) {
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = headers
    }

    package func response(
        from request: Request, context: some RequestContext
    ) throws -> Response {
        var headers = headers
        headers[.contentType] = "application/problem+json"
        headers[.cacheControl] = "no-store"
        let body = Body(
            type: "about:blank", title: status.reasonPhrase, status: status.code, detail: detail,
            code: code, requestID: context.requestIDText, errors: errors.isEmpty ? nil : errors)
        return Response(
            status: status, headers: headers,
            body: ResponseBody(byteBuffer: try JSONResponse.encode(body)))
    }

    private struct Body: Encodable {
        let type: String
        let title: String
        let status: Int
        let detail: String
        let code: String
        let requestID: String
        let errors: [Invalid]?

        private enum CodingKeys: String, CodingKey {
            case type, title, status, detail, code, errors
            case requestID = "request_id"
        }
    }
}

extension RequestContext {
    /// The request's id as the log lines have it.
    var requestIDText: String {
        logger[metadataKey: OpenContext.requestIDKey].map { "\($0)" } ?? ""
    }
}
