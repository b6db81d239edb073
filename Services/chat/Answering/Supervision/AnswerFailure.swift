import ModelEndpoint
import Postgres

/// Why an answer ended early, in words for the member and a stable code.
struct AnswerFailure: Error, Sendable, Hashable {
    let code: String
    let message: String

    static let conversationBusy = AnswerFailure(
        code: "conversation_busy",
        message: "The answer before this one is still being written. Please ask again later.")
    static let notSaved = AnswerFailure(
        code: "not_saved", message: "The answer could not be saved.")
    static let shuttingDown = AnswerFailure(
        code: "interrupted", message: "The service was restarted. Please ask again.")
    static let unknown = AnswerFailure(
        code: "internal_error", message: "Something went wrong. Please ask again.")
    static let storeAway = AnswerFailure(
        code: "store_unavailable",
        message: "The service cannot reach its database. Please ask again later.")
    static let contentFilter = AnswerFailure(
        code: "model_refused", message: "The model refused to go on with this answer.")

    init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    init(_ error: any Error) {
        switch error {
        case let failure as AnswerFailure: self = failure
        case let error as ModelError: self.init(error)
        case is PostgresError: self = .storeAway
        default: self = .unknown
        }
    }

    private init(_ error: ModelError) {
        switch error {
        case .unreachable:
            self.init(
                code: "model_unreachable",
                message: "The language model cannot be reached. Please ask again later.")
        case .timedOut:
            self.init(
                code: "model_timed_out",
                message: "The language model took too long. Please ask again.")
        case .rateLimited:
            self.init(
                code: "model_rate_limited",
                message: "The language model is busy. Please ask again in a moment.")
        case .tooLong:
            self.init(
                code: "model_context_exceeded",
                message: "The question and its sources are too long for the language model.")
        case .broken:
            self.init(
                code: "model_cut",
                message: "The language model stopped in the middle of its answer.")
        case .refused, .undecodable, .cancelled:
            self.init(
                code: "model_error",
                message: "The language model gave no answer that could be used.")
        }
    }
}
