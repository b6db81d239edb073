import FoundationEssentials
import NIOHTTP1

/// An error as the API words it (RFC 9457).
struct Problem: Sendable, Error {
    let status: HTTPResponseStatus
    /// Stable, snake_case.
    let code: String
    /// For a person.
    let detail: String
    var headers: [(name: String, value: String)] = []

    private struct Document: Encodable {
        let type = "about:blank"
        let title: String
        let status: UInt
        let code: String
        let detail: String
        let requestID: String

        enum CodingKeys: String, CodingKey {
            case type, title, status, code, detail
            case requestID = "request_id"
        }
    }

    func answer(requestID: String) -> Answer {
        let document = Document(
            title: status.reasonPhrase, status: status.code, code: code, detail: detail,
            requestID: requestID)
        var answer = Answer.json(document, status: status)
        answer.headers.replaceOrAdd(name: "Content-Type", value: "application/problem+json")
        for header in headers { answer.headers.add(name: header.name, value: header.value) }
        return answer
    }
}

extension Problem {
    static let notFound = Problem(
        status: .notFound, code: "not_found", detail: "There is nothing at this address.")
    static let badRequest = Problem(
        status: .badRequest, code: "bad_request", detail: "This is not a valid HTTP request.")
    static let crossSite = Problem(
        status: .forbidden, code: "cross_site",
        detail: "Requests from pages of other sites are refused.")
    static let uriTooLong = Problem(
        status: .uriTooLong, code: "uri_too_long", detail: "The address is too long.")
    static let headersTooLarge = Problem(
        status: .requestHeaderFieldsTooLarge, code: "headers_too_large",
        detail: "The request's headers are too large.")
    static let requestTimeout = Problem(
        status: .requestTimeout, code: "request_timeout",
        detail: "The request did not arrive in time.")
    static let keysUnavailable = Problem(
        status: .serviceUnavailable, code: "identity_unavailable",
        detail: "The identity provider cannot be reached, so no token can be verified.",
        headers: [("Retry-After", "2")])
    static let upstreamDown = Problem(
        status: .serviceUnavailable, code: "service_unavailable",
        detail: "The service that answers this is not available. Try again shortly.",
        headers: [("Retry-After", "1")])
    static let upstreamBroke = Problem(
        status: .badGateway, code: "upstream_failed",
        detail: "The service that answers this failed before it answered. Try again shortly.",
        headers: [("Retry-After", "1")])
    static let upstreamTimeout = Problem(
        status: .gatewayTimeout, code: "upstream_timeout",
        detail: "The service that answers this took too long.")
    static let failed = Problem(
        status: .internalServerError, code: "internal_error", detail: "Something went wrong.")

    static let tooManyConnections = Problem(
        status: .serviceUnavailable, code: "too_many_connections",
        detail: "There are too many connections. Try again shortly.",
        headers: [("Retry-After", "5")])
    static let tooManyConnectionsOfAddress = Problem(
        status: .tooManyRequests, code: "too_many_connections",
        detail: "There are too many connections from this address.",
        headers: [("Retry-After", "5")])
    static let tooManyStreams = Problem(
        status: .tooManyRequests, code: "too_many_streams",
        detail: "Too many streams of this user are open. Close one, or wait for its end.",
        headers: [("Retry-After", "5")])

    static func tooManyRequests(retryAfter seconds: Int) -> Problem {
        Problem(
            status: .tooManyRequests, code: "too_many_requests",
            detail: "There were too many requests. Try again in \(seconds) s.",
            headers: [("Retry-After", "\(seconds)")])
    }

    static func fileTooLarge(megabytes: Int) -> Problem {
        Problem(
            status: .payloadTooLarge, code: "file_too_large",
            detail: "File too large (max \(megabytes)MB)")
    }

    static func bodyTooLarge(kilobytes: Int) -> Problem {
        Problem(
            status: .payloadTooLarge, code: "body_too_large",
            detail: "The request's body is too large (max \(kilobytes) KiB).")
    }

    static func methodNotAllowed(_ allowed: [HTTPMethod]) -> Problem {
        Problem(
            status: .methodNotAllowed, code: "method_not_allowed",
            detail: "This address does not support the method.",
            headers: [("Allow", allowed.map(\.rawValue).joined(separator: ", "))])
    }

    /// RFC 6750, section 3: no error code when there was no token at all.
    static let tokenMissing = Problem(
        status: .unauthorized, code: "token_missing", detail: "An access token is needed.",
        headers: [("WWW-Authenticate", "Bearer")])

    static func tokenInvalid(_ sentence: String) -> Problem {
        let detail = sentence.prefix(1).uppercased() + sentence.dropFirst() + "."
        return Problem(
            status: .unauthorized, code: "token_invalid", detail: detail,
            headers: [
                (
                    "WWW-Authenticate",
                    "Bearer error=\"invalid_token\", error_description=\"\(sentence)\""
                )
            ])
    }
}
