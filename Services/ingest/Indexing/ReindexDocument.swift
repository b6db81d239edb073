import Database
import Domain
import JobQueue
import Postgres

/// Writes all points of a document that is shown already, also where they should be there: into the
/// generation that lacks it, or into every one that is live or being built.
struct ReindexDocument: JobHandler {
    static let kind = ReindexDocumentJob.kind

    let pool: PostgresPool
    let indexer: DocumentIndexer

    func handle(_ job: ClaimedJob) async throws {
        let payload = try job.decode(ReindexDocumentJob.self)
        let id = payload.documentID
        guard let document = try await pool.read({ try Self.content(of: id, $0) }) else { return }
        try await indexer.index(document, for: job, into: payload.generation) {
            result, generations, transaction in
            // A page that changed meanwhile: its sync has shown the new text wherever it could, and
            // the old one must not come back.
            let current = try Self.content(of: id, transaction)
            guard current?.contentHash == document.contentHash else { return }
            try indexer.show(result, of: id, in: generations, transaction)
            guard document.kind == .upload, !generations.isEmpty else { return }
            try AttachmentStore(transaction).setIndexed(
                Attachment.ID(rawValue: id.rawValue), chunkCount: result.chunkCount,
                pageCount: result.pageCount)
        }
    }

    /// Nil when it is gone.
    private static func content(
        of id: Document.ID, _ session: Session
    ) throws -> IndexableDocument? {
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
