import Database
import Domain
import HTTPService
import Postgres

/// An answer told again, for a request that was repeated.
struct StoredAnswer: Sendable {
    let pool: PostgresPool
    let reader: StreamReader

    /// The very frames while they can be had; later the same events, made from what is kept.
    func rest(of id: Message.ID, for principal: Principal) async throws -> StreamReader.Rest {
        do {
            return try await reader.rest(of: id, after: 0, for: principal)
        } catch let problem as Problem where problem.code == Problem.streamExpired.code {
            return .live(try await retold(id, for: principal).frames())
        }
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
        let failure = message.status == .incomplete ? AnswerFailure.unknown : nil
        for event in AnswerEvent.ending(id, message.finishReason ?? .error, failure) {
            try log.append(event)
        }
        log.close()
        return log
    }
}
