import Database
import Domain
import JobQueue
import Postgres
import Qdrant

/// Removes the collection of a generation that was given up, once no worker writes to it and no chat
/// replica asks it any more; then what only it had need of.
struct DropGeneration: JobHandler {
    static let kind = DropGenerationJob.kind

    let pool: PostgresPool
    let qdrant: Qdrant
    let queue: JobQueue

    /// The longest write that had begun when it was given up, and a moment for the clock.
    private static let writingSecondsMax = Double(DocumentStore.upsertSeconds + 2)
    private static let documentCountMax = 200
    private static let vectorCountMax = 5_000

    func handle(_ job: ClaimedJob) async throws {
        let number = try job.decode(DropGenerationJob.self).number
        let (found, life, isAsked) = try await pool.read { session in
            let store = GenerationStore(session)
            return (try store.find(number), try store.life(of: number), try store.isAsked(number))
        }
        guard let generation = found, let life, life.isDropping else { return }
        if generation.state == .retired {
            guard !isAsked else { throw JobFailure.snooze(.seconds(10)) }
            let remaining = Self.writingSecondsMax - life.droppingSeconds
            guard remaining <= 0 else {
                throw JobFailure.snooze(.milliseconds(Int(remaining * 1000) + 1))
            }
            do {
                try await qdrant.deleteCollection(generation.collection)
            } catch {
                throw IndexingFailure.sorted(error)
            }
            try await pool.transaction { transaction in
                try job.requireLease(in: transaction)
                try GenerationStore(transaction).setDropped(number)
            }
        }
        try await sweepTexts(job)
        try await sweepVectors(of: generation, job)
    }

    /// Revisions that it alone showed.
    private func sweepTexts(_ job: ClaimedJob) async throws {
        var last: Document.ID?
        repeat {
            let start = last
            last = try await pool.transaction { transaction in
                try job.requireLease(in: transaction)
                let documents = try RevisionStore(transaction).listReplaced(
                    after: start, limit: Self.documentCountMax)
                for document in documents {
                    guard
                        try !DocumentStore(transaction).hasOpenJob(
                            document, of: [SweepRevisionsJob.kind])
                    else { continue }
                    try queue.enqueue(
                        SweepRevisionsJob.kind, SweepRevisionsJob(documentID: document),
                        subject: document.description, priority: .bulk, in: transaction)
                }
                return documents.last
            }
        } while last != nil
    }

    /// Vectors of its model, if no other generation has that.
    private func sweepVectors(of dropped: Generation, _ job: ClaimedJob) async throws {
        let fingerprint = dropped.index.modelFingerprint
        var deletedCount: Int
        repeat {
            deletedCount = try await pool.transaction { transaction in
                try job.requireLease(in: transaction)
                let isUsed = try GenerationStore(transaction).list().contains {
                    $0.state != .dropped && $0.index.modelFingerprint == fingerprint
                }
                return isUsed
                    ? 0
                    : try EmbeddingStore(transaction).delete(
                        modelFingerprint: fingerprint, limit: Self.vectorCountMax)
            }
        } while deletedCount > 0
    }
}
