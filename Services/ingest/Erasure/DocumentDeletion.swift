import Database
import Domain
import JobQueue
import Postgres

/// The commit that deletes documents: from it on nothing retrieves, shows or quotes them, whatever
/// is up or down. What is left of them goes by jobs.
struct DocumentDeletion: Sendable {
    let queue: JobQueue

    /// Which of them were there to be deleted.
    func delete(_ ids: [Document.ID], in transaction: Transaction) throws -> [Document.ID] {
        let deleted = try DocumentStore(transaction).delete(ids)
        try queue.cancel(subjects: deleted.map(\.description), in: transaction)
        for id in deleted {
            try queue.enqueue(
                EraseDocumentJob.kind, EraseDocumentJob(documentID: id),
                subject: id.description, priority: .erase, in: transaction)
            try transaction.notify(Channel.attachments, id.description)
        }
        return deleted
    }
}
