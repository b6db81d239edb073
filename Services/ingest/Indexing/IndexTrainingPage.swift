import Database
import Domain
import JobQueue
import Postgres

/// Prepares one page of a sync. The last one of the sync shows them all.
struct IndexTrainingPage: JobHandler {
    static let kind = IndexTrainingPageJob.kind

    let pool: PostgresPool
    let indexer: DocumentIndexer
    let queue: JobQueue

    func handle(_ job: ClaimedJob) async throws {
        let (sync, id) = try Self.subject(of: job)
        let page = try await pool.read { try TrainingStore($0).findPendingPage(id, of: sync) }
        guard let page else { return }
        let document = IndexableDocument(page: id, markdown: page.content)
        // A sync shows one revision of a page, the same in every generation.
        try await indexer.index(document, for: job, cutAlike: true) { result, active, transaction in
            let generations = active.map(\.number)
            guard let revision = result.revisions.values.first else { return }
            try finish(
                id, of: sync, as: .ready(revision, generations: generations), generations,
                transaction)
        }
    }

    /// The page keeps its old state; the sync goes on without it.
    func died(_ job: ClaimedJob, reason: String, in transaction: Transaction) throws {
        let (sync, id) = try Self.subject(of: job)
        let generations = try GenerationStore(transaction).lockActive().map(\.number)
        try finish(id, of: sync, as: .failed(reason: reason), generations, transaction)
    }

    private static func subject(of job: ClaimedJob) throws -> (TrainingSync.ID, Document.ID) {
        let payload = try job.decode(IndexTrainingPageJob.self)
        return (payload.syncID, payload.documentID)
    }

    private func finish(
        _ page: Document.ID, of sync: TrainingSync.ID, as outcome: TrainingSyncStore.Outcome,
        _ generations: [Int], _ transaction: Transaction
    ) throws {
        let step = try TrainingSyncStore(transaction).finishPage(
            page, of: sync, as: outcome, generations: generations)
        switch step {
        case .waiting, .over: break
        case .again(let pages):
            for page in pages {
                try queue.enqueue(
                    IndexTrainingPageJob.kind,
                    IndexTrainingPageJob(syncID: sync, documentID: page),
                    subject: page.description, priority: .training, in: transaction)
            }
        case .flipped(let flip), .failed(let flip):
            for page in flip.replaced {
                try queue.enqueue(
                    SweepRevisionsJob.kind, SweepRevisionsJob(documentID: page),
                    subject: page.description, priority: .bulk, in: transaction)
            }
            for page in flip.erased {
                try queue.enqueue(
                    EraseDocumentJob.kind, EraseDocumentJob(documentID: page),
                    subject: page.description, priority: .erase, in: transaction)
            }
        }
    }
}
