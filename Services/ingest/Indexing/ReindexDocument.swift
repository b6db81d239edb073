import Database
import Domain
import JobQueue
import Postgres

/// Writes a document that is shown already into every generation that is live or being built: all its
/// points, also where they should be there.
struct ReindexDocument: JobHandler {
    static let kind = ReindexDocumentJob.kind

    let pool: PostgresPool
    let indexer: DocumentIndexer

    func handle(_ job: ClaimedJob) async throws {
        let id = try job.decode(ReindexDocumentJob.self).documentID
        guard let document = try await content(of: id) else { return }
        try await indexer.index(document, for: job) { result, generations, transaction in
            try indexer.show(result, of: id, in: generations, transaction)
            guard document.kind == .upload else { return }
            let attachment = Attachment.ID(rawValue: id.rawValue)
            try AttachmentStore(transaction).setIndexed(
                attachment, chunkCount: result.chunkCount, pageCount: result.pageCount)
        }
    }

    /// Nil when it is gone.
    private func content(of id: Document.ID) async throws -> IndexableDocument? {
        try await pool.read { session in
            guard let document = try DocumentStore(session).find(id) else { return nil }
            switch document.kind {
            case .upload:
                return try AttachmentStore(session).find(Attachment.ID(rawValue: id.rawValue))
                    .map { try IndexableDocument($0) }
            case .training:
                guard let markdown = try TrainingStore(session).findContent(id) else { return nil }
                return IndexableDocument(page: id, markdown: markdown)
            }
        }
    }
}
