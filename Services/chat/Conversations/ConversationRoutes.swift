import ConversationExport
import Database
import Domain
import HTTPService
import HTTPTypes
import Hummingbird
import Postgres

/// The caller's conversations. Another's are answered like unknown ones.
struct ConversationRoutes: Sendable {
    let pool: PostgresPool
    let answering: Answering

    private static let pageSize = PageSize(50, most: 200)
    private static let messagePageSize = PageSize(200, most: 500)
    private static let titleLengthMax = 200
    private static let searchLengthMax = 200

    func add(to router: some RouterMethods<ServiceContext>) {
        router.get("conversations", use: list)
        router.get("conversations/:id", use: show)
        router.patch("conversations/:id", use: rename)
        router.delete("conversations/:id", use: delete)
        router.get("conversations/:id/messages", use: messages)
        router.get("conversations/:id/export", use: export)
    }

    private func list(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let paging = try Paging(request, Self.pageSize)
        let search = try request.parameter("q").map {
            String($0.prefix(Self.searchLengthMax))
        }
        let position = try paging.place(Self.position)
        let (found, total) = try await pool.read { session in
            let store = ConversationStore(session)
            return (
                try store.list(
                    for: context.principal, search: search, after: position,
                    offset: paging.offset, limit: paging.rowCountMax),
                try store.count(for: context.principal, search: search)
            )
        }
        return try JSONResponse.make(
            .ok,
            Page(found, paging, total: total, place: { "\($0.lastSequence) \($0.id)" }) {
                ConversationAnswer($0)
            })
    }

    private func show(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let id = try Self.id(context)
        let found = try await pool.read { session in
            try ConversationStore(session).find(id, for: context.principal)
        }
        guard let found else { throw Problem.conversationNotFound }
        return try JSONResponse.make(.ok, ConversationAnswer(found))
    }

    private struct Renaming: Decodable {
        let title: String
    }

    private func rename(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let id = try Self.id(context)
        let body = try await decodeJSON(Renaming.self, from: request, byteCountMax: 1 << 16)
        let title = body.title.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard !title.isEmpty, body.title.unicodeScalars.count <= Self.titleLengthMax else {
            throw Problem.invalid("/title", "must have 1 to \(Self.titleLengthMax) characters")
        }
        let found = try await pool.transaction { transaction in
            let store = ConversationStore(transaction)
            guard try store.setTitle(title, of: id, for: context.principal) else {
                throw Problem.conversationNotFound
            }
            return try store.find(id, for: context.principal)
        }
        guard let found else { throw Problem.conversationNotFound }
        return try JSONResponse.make(.ok, ConversationAnswer(found))
    }

    private func delete(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let id = try Self.id(context)
        let stopped = try await pool.transaction { transaction in
            let store = ConversationStore(transaction)
            guard try store.lock(id, for: context.principal) else {
                throw Problem.conversationNotFound
            }
            let generating = try MessageStore(transaction).generating(in: id)
            for reply in generating {
                try transaction.notify(MessageStore.cancellationsChannel, reply.description)
            }
            _ = try store.delete(id, for: context.principal)
            try AuditStore(transaction).record(
                .conversationDeleted, id.description, by: context.author)
            return generating
        }
        for reply in stopped { answering.stop(reply, .gone) }
        return try JSONResponse.make(
            .ok, ["status": "deleted", "conversation_id": id.description])
    }

    private struct MessagePage: Encodable {
        let messages: [MessageAnswer]
        let limit: Int
        let nextCursor: String?

        private enum CodingKeys: String, CodingKey {
            case messages, limit
            case nextCursor = "next_cursor"
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(messages, forKey: .messages)
            try container.encode(limit, forKey: .limit)
            try container.encode(nextCursor, forKey: .nextCursor)
        }
    }

    private func messages(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let id = try Self.id(context)
        let paging = try Paging(request, Self.messagePageSize, alias: "before")
        let before = try paging.place { Int($0) }
        let (found, references) = try await pool.read { session in
            guard try ConversationStore(session).find(id, for: context.principal) != nil else {
                throw Problem.conversationNotFound
            }
            let store = MessageStore(session)
            let found = try store.list(in: id, before: before, limit: paging.rowCountMax)
            return (found, try store.references(of: found.map(\.id), for: context.principal))
        }
        let shown = found.suffix(paging.limit)
        let next = found.count > paging.limit ? shown.first.map { String($0.sequence) } : nil
        return try JSONResponse.make(
            .ok,
            MessagePage(
                messages: shown.map {
                    MessageAnswer($0, references[$0.id] ?? MessageReferences())
                }, limit: paging.limit, nextCursor: next.map(Cursor.encode)))
    }

    private func export(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let id = try Self.id(context)
        let form: ConversationForm
        switch try request.parameter("format") {
        case nil, "markdown": form = .markdown
        case "json": form = .json
        default: throw Problem.invalid("/format", "must be markdown or json")
        }
        let found = try await pool.read { session in
            try ConversationStore(session).find(id, for: context.principal)
        }
        guard let found else { throw Problem.conversationNotFound }
        let pieces = ConversationExport(pool: pool).pieces(
            of: found, as: form, for: context.principal)
        return Response(
            status: .ok,
            headers: [
                .contentType: form.contentType, .cacheControl: "no-store",
                .contentDisposition: "attachment; filename=\"conversation-\(id).\(form.rawValue)\"",
                .xContentTypeOptions: "nosniff",
            ], body: ResponseBody(asyncSequence: pieces))
    }

    private static func id(_ context: ServiceContext) throws -> Conversation.ID {
        try context.parameters.id(
            "id", as: Conversation.ID.self, orThrow: .conversationNotFound)
    }

    private static func position(_ place: String) -> ConversationStore.Position? {
        let parts = place.split(separator: " ")
        guard parts.count == 2, let sequence = Int(parts[0]), let id = Conversation.ID(parts[1])
        else { return nil }
        return .init(sequence: sequence, id: id)
    }
}
