import Database
import Domain
import JobQueue
import Postgres

/// Erases all that a member owns, in one transaction: from its commit on nothing of it is shown and
/// nothing that was under way can land. Texts, points and bytes of their files follow by jobs.
///
/// What a member owns hangs on their documents and conversations, or is named here.
struct UserErasure: Sendable {
    let pool: PostgresPool
    let queue: JobQueue
    let deletion: DocumentDeletion

    struct Counts: Sendable, Equatable {
        let attachmentCount: Int
        let conversationCount: Int
        let messageCount: Int
    }

    /// For some ten thousand files.
    private static let deadline = Duration.seconds(60)

    func erase(_ principal: Principal, by author: AuditAuthor) async throws -> Counts {
        try await pool.transaction(deadline: Self.deadline) { transaction in
            let reservations = UploadReservationStore(transaction, for: principal)
            try reservations.lock()
            try reservations.deleteAll()
            let owned = try DocumentStore(transaction).list(ownedBy: principal.user)
            let documents = try deletion.delete(owned, in: transaction)
            try queue.forget(owner: principal.user.rawValue, in: transaction)
            let conversations = ConversationStore(transaction)
            for reply in try conversations.generating(for: principal) {
                try transaction.notify(MessageStore.cancellationsChannel, reply.description)
            }
            let deleted = try conversations.deleteAll(for: principal)
            try IdempotencyStore(transaction, for: principal).deleteAll()
            try AnswerUsageStore(transaction, for: principal).deleteAll()
            let audit = AuditStore(transaction)
            try audit.record(
                .userErased, "",
                [
                    "attachments": "\(documents.count)",
                    "conversations": "\(deleted.conversationCount)",
                ], by: author)
            try audit.forget(principal.user)
            return Counts(
                attachmentCount: documents.count, conversationCount: deleted.conversationCount,
                messageCount: deleted.messageCount)
        }
    }
}
