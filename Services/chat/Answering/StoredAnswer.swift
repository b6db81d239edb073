import Database
import Domain
import HTTPService
import Postgres

/// An answer told again, for a request that was repeated.
struct StoredAnswer: Sendable {
    let pool: PostgresPool
    let turns: Wakeups
    let answering: Answering

    /// Longer than any answer may take.
    private static let wait: Duration = .seconds(660)

    /// The very frames where the answer is being written here; else, once it is whole, the same
    /// events made from what is kept.
    func log(of id: Message.ID, for principal: Principal) async throws -> EventLog {
        if let running = answering.find(id) { return running.log }
        guard let begun = try await find(id, for: principal) else { throw Problem.messageNotFound }
        _ = try await turns.wait(
            for: [begun.conversationID.description], atMost: Self.wait
        ) {
            try await find(id, for: principal)?.status != .generating
        }
        return try await retold(id, for: principal)
    }

    private func find(_ id: Message.ID, for principal: Principal) async throws -> Message? {
        try await pool.read { try MessageStore($0).find(id, for: principal) }
    }

    private func retold(_ id: Message.ID, for principal: Principal) async throws -> EventLog {
        let (message, title, references) = try await pool.read { session in
            let store = MessageStore(session)
            guard let message = try store.find(id, for: principal) else {
                throw Problem.messageNotFound
            }
            let conversation = try ConversationStore(session).find(
                message.conversationID, for: principal)
            let references = try store.references(of: [id], for: principal)
            return (message, conversation?.title ?? "", references[id] ?? MessageReferences())
        }
        let answer = MessageAnswer(message, references)
        let log = EventLog()
        try log.append(
            .meta(
                .init(
                    conversationID: message.conversationID.description,
                    messageID: id.description, title: title)))
        let sources = answer.sources.compactMap(\.shown)
        if !sources.isEmpty { try log.append(.sources(sources)) }
        if !message.content.isEmpty { try log.append(.token(message.content)) }
        for citation in answer.citations.compactMap(\.shown) {
            try log.append(.citation(citation))
        }
        if message.status == .incomplete {
            let failure = AnswerFailure.unknown
            try log.append(.error(.init(message: failure.message, code: failure.code)))
        }
        try log.append(
            .done(
                .init(
                    messageID: id.description,
                    finishReason: (message.finishReason ?? .error).rawValue, usage: nil)))
        log.close()
        return log
    }
}
