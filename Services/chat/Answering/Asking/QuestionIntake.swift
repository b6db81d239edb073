import Database
import Domain
import FoundationEssentials
import HTTPService
import Postgres

/// Stores a question and the reply to come in one transaction, or refuses and stores nothing.
struct QuestionIntake: Sendable {
    enum Result: Sendable {
        case asked(AskedQuestion)
        /// The same request came before; this is the reply it began.
        case repeated(Message.ID)
    }

    /// A checked request.
    struct Draft: Sendable {
        let message: String
        let conversation: Conversation.ID?
        let attachments: [Attachment.ID]
        let context: JSONValue?
        let topK: Int
        let includesCitations: Bool
        let sources: Set<SourceKind>
    }

    let pool: PostgresPool
    let replica: String
    let leaseSeconds: Int
    let allowance: AnswerAllowance

    func store(
        _ draft: Draft, for principal: Principal, as request: KeyedRequest?
    ) async throws -> Result {
        let reply = Message.ID()
        return try await pool.transaction(deadline: .seconds(10)) { transaction in
            if let request {
                let claim = try IdempotencyStore(transaction, for: principal).claim(
                    request, subject: reply.rawValue)
                switch claim {
                case .first: break
                case .repeated(let subject): return .repeated(Message.ID(rawValue: subject))
                case .conflicting: throw Problem.keyReused
                }
            }
            return .asked(
                try begin(draft, reply: reply, for: principal, in: transaction))
        }
    }

    /// Begins another reply to the newest question of a conversation. Nothing is stored when there
    /// is none, or an answer is still being written.
    ///
    /// - Parameter failed: a reply that has to be the newest, and to have come to nothing.
    func storeAgain(
        _ options: AnswerOptions, in id: Conversation.ID, failed: Message.ID? = nil,
        for principal: Principal
    ) async throws -> AskedQuestion {
        let reply = Message.ID()
        return try await pool.transaction(deadline: .seconds(10)) { transaction in
            try allowance.require(for: principal, in: transaction)
            let conversations = ConversationStore(transaction)
            guard try conversations.lock(id, for: principal),
                let conversation = try conversations.find(id, for: principal)
            else { throw Problem.conversationNotFound }
            let messages = MessageStore(transaction)
            guard let newest = try messages.newestTurn(in: id) else {
                throw Problem.nothingToRepeat
            }
            guard newest.reply.status != .generating else { throw Problem.conversationBusy }
            if let failed, failed != newest.reply.id || newest.reply.status == .complete {
                throw Problem.nothingToRepeat
            }
            let attachments = try messages.references(of: [newest.question.id], for: principal)
            let turn = MessageStore.Turn(
                conversation: id, question: newest.question.id, reply: reply,
                text: newest.question.content,
                attachments: attachments[newest.question.id]?.attachments.map(\.id) ?? [],
                showsSources: options.includesCitations ?? newest.showsSources)
            try messages.beginAgain(
                turn, insteadOf: newest.reply.id, replica: replica, leaseSeconds: leaseSeconds)
            return AskedQuestion(
                principal: principal, turn: turn, title: conversation.title, topK: options.topK,
                includesCitations: turn.showsSources, sources: options.sources,
                context: options.context, waitsForTurn: false)
        }
    }

    private func begin(
        _ draft: Draft, reply: Message.ID, for principal: Principal, in transaction: Transaction
    ) throws -> AskedQuestion {
        try allowance.require(for: principal, in: transaction)
        let attachments = try AttachmentStore(transaction).find(
            draft.attachments, for: principal)
        guard attachments.count == draft.attachments.count else {
            throw Problem.attachmentNotFound
        }
        let messages = MessageStore(transaction)
        let conversation = try conversation(
            draft, filenames: attachments.map(\.filename), for: principal, in: transaction)
        let isNew = draft.conversation == nil
        let earlierCount = isNew ? 0 : try messages.generatingCount(in: conversation.id)
        if earlierCount > 1 { throw Problem.conversationBusy }
        let turn = MessageStore.Turn(
            conversation: conversation.id, question: Message.ID(), reply: reply,
            text: draft.message, attachments: draft.attachments,
            showsSources: draft.includesCitations)
        try messages.begin(turn, replica: replica, leaseSeconds: leaseSeconds, for: principal)
        return AskedQuestion(
            principal: principal, turn: turn, title: conversation.title, topK: draft.topK,
            includesCitations: draft.includesCitations, sources: draft.sources,
            context: draft.context, waitsForTurn: earlierCount == 1,
            beginsConversation: isNew)
    }

    /// The one named, held until the end of the transaction, or a new one.
    private func conversation(
        _ draft: Draft, filenames: [String], for principal: Principal,
        in transaction: Transaction
    ) throws -> (id: Conversation.ID, title: String) {
        let store = ConversationStore(transaction)
        guard let id = draft.conversation else {
            let id = Conversation.ID()
            let title = Question.title(of: draft.message, filenames: filenames)
            try store.insert(id, title: title, for: principal)
            return (id, title)
        }
        guard try store.lock(id, for: principal), let found = try store.find(id, for: principal)
        else { throw Problem.conversationNotFound }
        return (id, found.title)
    }
}
