import Database
import Domain
import FoundationEssentials
import HTTPService
import HTTPTypes
import Hummingbird
import Postgres

/// Asking, and stopping an answer.
struct ChatRoutes: Sendable {
    let answering: Answering
    let intake: QuestionIntake
    let reader: StreamReader
    let pool: PostgresPool
    let events: EventStream

    func add(to router: some RouterMethods<ServiceContext>) {
        router.post("chat", use: ask)
        router.get("chat/:message_id/stream", use: resume)
        router.post("chat/:message_id/cancel", use: cancel)
        router.post("chat/:message_id/retry", use: retry)
        router.post("conversations/:id/regenerate", use: regenerate)
    }

    private func ask(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let body = try await decodeJSON(
            ChatRequest.self, from: request, byteCountMax: RequestLimits.bodyByteCountMax)
        let draft = try Self.checked(body)
        let keyed = try Self.keyed(request, body)
        guard answering.reserve() else { throw Problem.overloaded }
        let result: QuestionIntake.Result
        do {
            result = try await intake.store(draft, for: context.principal, as: keyed)
        } catch {
            answering.giveBack()
            throw error
        }
        switch result {
        case .asked(let question):
            return events.response(frames: answering.start(question).log.frames())
        case .repeated(let reply):
            answering.giveBack()
            let stored = StoredAnswer(pool: pool, reader: reader)
            return response(try await stored.rest(of: reply, for: context.principal))
        }
    }

    /// The rest of a stream that was cut.
    private func resume(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let id = try context.parameters.id(
            "message_id", as: Message.ID.self, orThrow: .messageNotFound)
        let position = try Self.position(request)
        return response(try await reader.rest(of: id, after: position, for: context.principal))
    }

    private func response(_ rest: StreamReader.Rest) -> Response {
        switch rest {
        case .nothing: Response(status: .noContent)
        case .live(let frames): events.response(frames: frames)
        case .stored(let frames): events.response(frames: frames)
        }
    }

    /// The last answer anew, good as it may be.
    private func regenerate(
        _ request: Request, _ context: ServiceContext
    ) async throws -> Response {
        let id = try context.parameters.id(
            "id", as: Conversation.ID.self, orThrow: .conversationNotFound)
        return try await again(request, in: id, failed: nil, context)
    }

    /// The last answer anew, which came to nothing.
    private func retry(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let id = try context.parameters.id(
            "message_id", as: Message.ID.self, orThrow: .messageNotFound)
        let found = try await pool.read { session in
            try MessageStore(session).find(id, for: context.principal)
        }
        guard let found, found.role == .assistant else { throw Problem.messageNotFound }
        return try await again(request, in: found.conversationID, failed: id, context)
    }

    private func again(
        _ request: Request, in conversation: Conversation.ID, failed: Message.ID?,
        _ context: ServiceContext
    ) async throws -> Response {
        let options = try AnswerOptions(
            try await decodeOptionalJSON(AgainRequest.self, from: request))
        guard answering.reserve() else { throw Problem.overloaded }
        let question: AskedQuestion
        do {
            question = try await intake.storeAgain(
                options, in: conversation, failed: failed, for: context.principal)
        } catch {
            answering.giveBack()
            throw error
        }
        return events.response(frames: answering.start(question).log.frames())
    }

    private func cancel(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let id = try context.parameters.id(
            "message_id", as: Message.ID.self, orThrow: .messageNotFound)
        let before = try await pool.transaction { transaction in
            try MessageStore(transaction).requestCancel(
                id, for: context.principal, in: transaction)
        }
        guard let before else { throw Problem.messageNotFound }
        if before == .generating { answering.stop(id, .cancelled) }
        let status = before == .generating ? Message.Status.cancelled : before
        return try JSONResponse.make(.ok, ["status": status.rawValue])
    }

    private static func checked(_ body: ChatRequest) throws -> QuestionIntake.Draft {
        try RequestLimits.requireLength(of: body.message, "/message")
        let attachments = try RequestLimits.attachments(body.attachmentIDs)
        if body.message.allSatisfy(\.isWhitespace) && attachments.isEmpty {
            throw Problem.invalid("/message", "must not be empty unless files are attached")
        }
        var conversation: Conversation.ID?
        if let text = body.conversationID {
            guard let id = Conversation.ID(text) else { throw Problem.conversationNotFound }
            conversation = id
        }
        return QuestionIntake.Draft(
            message: body.message, conversation: conversation, attachments: attachments,
            context: try RequestLimits.context(body.context),
            topK: RequestLimits.topK(body.topK),
            includesCitations: body.includeCitations ?? true,
            sources: try RequestLimits.sources(body.sources))
    }

    /// The id of the last event the client has: the header, which browsers send of themselves, goes
    /// before the query. 0 without either.
    private static func position(_ request: Request) throws -> Int {
        guard let name = HTTPField.Name("Last-Event-ID"), let text = request.headers[name] else {
            return max(0, try request.count("after") ?? 0)
        }
        guard let position = Int(text), position >= 0 else {
            throw Problem.invalid("", "Last-Event-ID must be the id of an event.")
        }
        return position
    }

    /// Spaces and the order of keys make no difference.
    private static func keyed(_ request: Request, _ body: ChatRequest) throws -> KeyedRequest? {
        guard let key = try request.idempotencyKey() else { return nil }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return KeyedRequest(key, route: "POST /chat", body: try encoder.encode(body))
    }
}
