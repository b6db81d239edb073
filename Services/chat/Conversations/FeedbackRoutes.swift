import Database
import Domain
import HTTPService
import Hummingbird
import Postgres

/// What members think of replies. A second opinion takes the place of the first.
struct FeedbackRoutes: Sendable {
    let pool: PostgresPool

    private static let commentLengthMax = 2000

    func add(to router: some RouterMethods<ServiceContext>) {
        router.put("messages/:id/feedback", use: set)
    }

    private struct Body: Decodable {
        let rating: Int
        let comment: String?
    }

    private func set(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let id = try context.parameters.id("id", as: Message.ID.self, orThrow: .messageNotFound)
        let body = try await decodeJSON(Body.self, from: request, byteCountMax: 1 << 16)
        guard let rating = MessageFeedback.Rating(rawValue: body.rating) else {
            throw Problem.invalid("/rating", "must be 1 or -1")
        }
        guard body.comment?.unicodeScalars.count ?? 0 <= Self.commentLengthMax else {
            throw Problem.invalid(
                "/comment", "must have at most \(Self.commentLengthMax) characters")
        }
        let comment = body.comment.flatMap { $0.allSatisfy(\.isWhitespace) ? nil : $0 }
        let feedback = MessageFeedback(rating: rating, comment: comment)
        let isSet = try await pool.read { session in
            try MessageStore(session).setFeedback(feedback, of: id, for: context.principal)
        }
        guard isSet else { throw Problem.messageNotFound }
        return try JSONResponse.make(.ok, FeedbackAnswer(feedback))
    }
}

/// Feedback as the API shows it.
struct FeedbackAnswer: Encodable, Sendable {
    private let rating: Int
    private let comment: String?

    init(_ feedback: MessageFeedback) {
        rating = feedback.rating.rawValue
        comment = feedback.comment
    }

    private enum CodingKeys: String, CodingKey { case rating, comment }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(rating, forKey: .rating)
        try container.encode(comment, forKey: .comment)
    }
}
