import HTTPService
import HTTPTypes
import Hummingbird
import Logging
import Postgres

/// What this service refuses beside what all do.
extension Problem {
    static let messageNotFound = Problem(
        .notFound, code: "message_not_found", detail: "There is no such message.")
    static let sourceNotFound = Problem(
        .notFound, code: "source_not_found", detail: "There is no such source.")
    static let conversationBusy = Problem(
        .conflict, code: "conversation_busy",
        detail: "Another message already waits for its turn in this conversation.")
    static let streamExpired = Problem(
        .gone, code: "stream_expired",
        detail: "The events of this answer are no longer kept. Its text is in its conversation.")
    static let nothingToRepeat = Problem(
        .conflict, code: "nothing_to_repeat",
        detail: "Only the last answer of a conversation can be asked for again.")
    static let overloaded = Problem(
        .serviceUnavailable, code: "overloaded",
        detail: "Too many answers are being written. Please ask again in a moment.",
        headers: [.retryAfter: "2"])
}

/// Postgres being away is not our failing: the member may try again.
struct StoreProblems: RouterMiddleware {
    typealias Context = ServiceContext

    func handle(
        _ request: Request, context: ServiceContext,
        next: @concurrent (Request, ServiceContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as PostgresError {
            switch error {
            case .unreachable, .busy, .timedOut:
                context.logger.warning("store is away", metadata: ["error": "\(error)"])
                throw Problem.unavailable("The database cannot be reached. Please try again.")
            case .misconfigured, .refused, .undecodable, .cancelled:
                throw error
            }
        }
    }
}
