package import HTTPTypes

extension Problem {
    package static let notFound = Problem(
        .notFound, code: "not_found", detail: "There is nothing here.")
    package static let attachmentNotFound = Problem(
        .notFound, code: "attachment_not_found", detail: "There is no such attachment.")
    package static let conversationNotFound = Problem(
        .notFound, code: "conversation_not_found", detail: "There is no such conversation.")
    package static let adminOnly = Problem(
        .forbidden, code: "admin_only", detail: "Only operators may do this.")
    package static let unauthorized = Problem(
        .unauthorized, code: "unauthorized", detail: "A valid token is needed.",
        headers: [.wwwAuthenticate: "Bearer"])
    package static let notJSON = Problem(
        .unsupportedMediaType, code: "json_needed",
        detail: "The body must be JSON, with the content type application/json.")
    package static let failed = Problem(
        .internalServerError, code: "internal_error",
        detail: "Something went wrong on our side. It has been recorded.")

    package static func unavailable(_ detail: String, retryAfterSeconds: Int = 5) -> Problem {
        Problem(
            .serviceUnavailable, code: "unavailable", detail: detail,
            headers: [.retryAfter: "\(retryAfterSeconds)"])
    }

    /// One thing the client sent is wrong. `pointer` is empty for the whole body.
    package static func invalid(_ pointer: String, _ detail: String) -> Problem {
        Problem(
            .unprocessableContent, code: "invalid_request", detail: detail,
            errors: [Invalid(pointer: pointer, detail: detail)])
    }

    /// The text, if it is no longer than so many Unicode scalars.
    package static func requireShort(
        _ text: String, _ pointer: String, countMax: Int
    ) throws -> String {
        guard text.unicodeScalars.count <= countMax else {
            throw invalid(pointer, "At most \(countMax) characters.")
        }
        return text
    }

    package static func methodNotAllowed(_ allowed: [HTTPRequest.Method]) -> Problem {
        Problem(
            .methodNotAllowed, code: "method_not_allowed",
            detail: "This address does not answer that method.",
            headers: [.allow: allowed.map(\.rawValue).sorted().joined(separator: ", ")])
    }

    package static func bodyTooLarge(byteCountMax: Int) -> Problem {
        Problem(
            .contentTooLarge, code: "body_too_large",
            detail: "The body may have \(byteCountMax) bytes at most.")
    }
}
