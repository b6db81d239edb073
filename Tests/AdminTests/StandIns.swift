import Database
import Domain
import JobQueue
import Postgres

/// Does to the tables what ingest's worker does when a page is indexed, without a model. A page
/// that says "broken" cannot be indexed.
struct StandInPageIndexer: JobHandler {
    static let kind = IndexTrainingPageJob.kind
    let pool: PostgresPool

    func handle(_ job: ClaimedJob) async throws {
        let payload: IndexTrainingPageJob = try job.decode()
        try await pool.transaction { transaction in
            guard
                let page = try TrainingStore(transaction).findPendingPage(
                    payload.documentID, of: payload.syncID)
            else { return }
            let revision = try insertRevision(
                of: payload.documentID, page.content, page.contentHash, transaction)
            let generations = try GenerationStore(transaction).lockActive().map(\.number)
            let outcome: TrainingSyncStore.Outcome =
                page.content.contains("broken")
                ? .failed(reason: "broken") : .ready(revision, generations: generations)
            _ = try TrainingSyncStore(transaction).finishPage(
                payload.documentID, of: payload.syncID, as: outcome, generations: generations)
            try job.complete(in: transaction)
        }
    }
}

/// The same for an upload.
struct StandInAttachmentIndexer: JobHandler {
    static let kind = IndexAttachmentJob.kind
    let pool: PostgresPool

    func handle(_ job: ClaimedJob) async throws {
        let payload: IndexAttachmentJob = try job.decode()
        try await pool.transaction { transaction in
            let document = Document.ID(rawValue: payload.attachmentID.rawValue)
            let revision = try insertRevision(of: document, "some text", [1], transaction)
            for generation in try GenerationStore(transaction).lockActive() {
                try IndexedDocumentStore(transaction).set(
                    document, in: generation.number, to: revision)
            }
            try AttachmentStore(transaction).setIndexed(
                payload.attachmentID, chunkCount: 1, pageCount: nil)
            try job.complete(in: transaction)
            try transaction.notify(Channel.attachments, payload.attachmentID.description)
        }
    }
}

private func insertRevision(
    of document: Document.ID, _ text: String, _ hash: [UInt8], _ transaction: Transaction
) throws -> Revision.ID {
    let version = Chunking.version(windowTokenCount: 512)
    let revision = Revision.id(document: document, contentHash: hash, chunkingVersion: version)
    try transaction.run(
        """
        INSERT INTO revisions (id, document_id, content_hash, chunking_version, text)
        VALUES (\(revision), \(document), \(hash), \(version), \(text))
        ON CONFLICT DO NOTHING
        """)
    return revision
}
