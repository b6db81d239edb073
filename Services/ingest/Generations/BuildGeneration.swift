import Database
import Domain
import JobQueue
import Logging
import Postgres
import Qdrant

/// Fills a generation that is being built with every document the live one shows, compares the two,
/// and swaps it in. The live one is left alone until then.
struct BuildGeneration: JobHandler {
    static let kind = BuildGenerationJob.kind

    let pool: PostgresPool
    let collections: GenerationCollections
    let checking: GenerationChecking
    let succession: GenerationSuccession
    let queue: JobQueue
    /// `REINDEX_OVERLAP_MIN`: with less a generation is not swapped in by itself.
    let overlapMin: Double
    let logger: Logger

    /// Documents enqueued at a time: their jobs are bulk work behind everything else.
    private static let batchCountMax = 200
    private static let lookInterval = Duration.seconds(1)
    /// Somebody has to do something first.
    private static let blockedInterval = Duration.seconds(5)

    func handle(_ job: ClaimedJob) async throws {
        let number = try job.decode(BuildGenerationJob.self).number
        let generation = try await pool.read { try GenerationStore($0).find(number) }
        guard let generation else { return }
        do {
            switch generation.state {
            case .building: try await build(generation, job)
            case .live: break
            case .retired, .dropped: return
            }
            try await succession.settle(job)
        } catch {
            throw IndexingFailure.sorted(error)
        }
    }

    private func build(_ generation: Generation, _ job: ClaimedJob) async throws {
        try await collections.make(generation)
        let (missing, isForced) = try await fill(generation.number, job)
        guard missing.openCount == 0 else { throw JobFailure.snooze(Self.lookInterval) }
        let hasFailed = missing.failedCount > 0 && !isForced
        let blockers =
            hasFailed ? [GenerationBlocker.deadJobs] : try await check(generation, job, isForced)
        if !blockers.isEmpty {
            try await note(blockers, of: generation.number, job)
            throw JobFailure.snooze(Self.blockedInterval)
        }
        // A document that came meanwhile is brought in first.
        guard try await swap(generation.number, job) else {
            throw JobFailure.snooze(Self.lookInterval)
        }
        logger.info(
            "index generation is live", metadata: ["generation.number": "\(generation.number)"])
    }

    /// Enqueues the next of what it lacks, and says how much that is.
    private func fill(
        _ number: Int, _ job: ClaimedJob
    ) async throws -> (MissingDocuments, isForced: Bool) {
        try await pool.transaction { transaction in
            try job.requireLease(in: transaction)
            let contents = GenerationContentStore(transaction)
            for document in try contents.listMissing(in: number, limit: Self.batchCountMax) {
                try enqueue(document, into: number, transaction)
            }
            let missing = try contents.missing(in: number)
            let store = GenerationStore(transaction)
            if missing.openCount > 0 { try store.setUnblocked(number) }
            return (missing, try store.life(of: number)?.isForced ?? false)
        }
    }

    /// Once per document, however often we look.
    private func enqueue(
        _ document: Document.ID, into generation: Int, _ transaction: Transaction
    ) throws {
        let kinds = [ReindexDocumentJob.kind, IndexAttachmentJob.kind]
        guard try !DocumentStore(transaction).hasOpenJob(document, of: kinds) else { return }
        try queue.enqueue(
            ReindexDocumentJob.kind,
            ReindexDocumentJob(documentID: document, generation: generation),
            subject: document.description, priority: .bulk, in: transaction)
    }

    /// Compares it with the live one, and says what stands in its way. Nothing does when it is forced.
    private func check(
        _ generation: Generation, _ job: ClaimedJob, _ isForced: Bool
    ) async throws -> [GenerationBlocker] {
        let (live, last) = try await pool.read { session in
            let store = GenerationStore(session)
            return (try store.live(), try store.life(of: generation.number)?.check)
        }
        guard let live else { return [] }
        let check = try await checking.check(generation, beside: live, last: last)
        let blockers = isForced ? [] : check.blockers(overlapMin: overlapMin)
        try await pool.transaction { transaction in
            try job.requireLease(in: transaction)
            try GenerationStore(transaction).setBlocked(
                generation.number, by: blockers, check: check)
        }
        return blockers
    }

    private func note(
        _ blockers: [GenerationBlocker], of number: Int, _ job: ClaimedJob
    ) async throws {
        try await pool.transaction { transaction in
            try job.requireLease(in: transaction)
            try GenerationStore(transaction).setBlocked(number, by: blockers)
        }
        logger.warning(
            "index generation is not swapped in",
            metadata: [
                "generation.number": "\(number)",
                "generation.blocked_by": "\(blockers.map(\.rawValue).joined(separator: " "))",
            ])
    }

    func died(_ job: ClaimedJob, reason: String, in transaction: Transaction) throws {
        let number = try job.decode(BuildGenerationJob.self).number
        try GenerationStore(transaction).setBlocked(number, by: [.jobDead])
    }

    /// False when a document came meanwhile that the new generation lacks.
    private func swap(_ number: Int, _ job: ClaimedJob) async throws -> Bool {
        try await pool.transaction { transaction in
            try job.requireLease(in: transaction)
            guard try GenerationStore(transaction).setLive(number) != nil else { return false }
            try transaction.notify(Channel.generations, String(number))
            return true
        }
    }
}
