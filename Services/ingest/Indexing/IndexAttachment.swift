import Database
import Domain
import JobQueue
import Postgres

/// Makes an upload searchable, for the first time or again.
struct IndexAttachment: JobHandler {
    static let kind = IndexAttachmentJob.kind

    let pool: PostgresPool
    let indexer: DocumentIndexer

    func handle(_ job: ClaimedJob) async throws {
        let id = try job.decode(IndexAttachmentJob.self).attachmentID
        let attachment = try await begin(id, job)
        guard let attachment else { return }
        try await indexer.index(try IndexableDocument(attachment), for: job) {
            result, generations, transaction in
            try indexer.show(result, of: attachment.documentID, in: generations, transaction)
            try AttachmentStore(transaction).setIndexed(
                id, chunkCount: result.chunkCount, pageCount: result.pageCount)
            try transaction.notify(Channel.attachments, id.description)
        }
    }

    /// Nil when it was deleted: there is nothing left to do.
    private func begin(_ id: Attachment.ID, _ job: ClaimedJob) async throws -> Attachment? {
        try await pool.transaction { transaction in
            let document = Document.ID(rawValue: id.rawValue)
            guard try DocumentStore(transaction).findLocked(document) != nil else { return nil }
            try job.requireLease(in: transaction)
            let attachments = AttachmentStore(transaction)
            try attachments.setProcessing(id)
            return try attachments.find(id)
        }
    }

    func died(_ job: ClaimedJob, reason: String, in transaction: Transaction) throws {
        let id = try job.decode(IndexAttachmentJob.self).attachmentID
        try AttachmentStore(transaction).setFailed(id, Attachment.Failure(deathReason: reason))
        try RecognisedPageStore(transaction).delete(of: Document.ID(rawValue: id.rawValue))
        try transaction.notify(Channel.attachments, id.description)
    }

    func cancelled(_ job: ClaimedJob, in transaction: Transaction) throws {
        let id = try job.decode(IndexAttachmentJob.self).attachmentID
        let attachments = AttachmentStore(transaction)
        if try !attachments.setShown(id) { try attachments.setFailed(id, .cancelled) }
        try RecognisedPageStore(transaction).delete(of: Document.ID(rawValue: id.rawValue))
        try transaction.notify(Channel.attachments, id.description)
    }
}

extension Attachment.Failure {
    static let cancelled = Self(
        code: "cancelled", message: "An operator stopped the indexing of this file.")

    /// From what the queue keeps of a job that was given up: `code: message`. Whatever else a job
    /// died of is ours, and no words of it are for the file's owner.
    init(deathReason: String) {
        let parts = deathReason.split(separator: ": ", maxSplits: 1)
        let isCode = parts.first?.allSatisfy { $0.isLowercase || $0 == "_" } ?? false
        if parts.count == 2, isCode {
            self.init(code: String(parts[0]), message: String(parts[1]))
        } else {
            self.init(code: "indexing_failed", message: "The file could not be indexed.")
        }
    }
}
