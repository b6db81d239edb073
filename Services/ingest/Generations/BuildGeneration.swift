import Database
import Domain
import JobQueue
import Logging
import Postgres
import Qdrant

/// Fills a generation that is being built with every document the live one shows, and swaps it in
/// when it is whole. The live one is left alone until then.
struct BuildGeneration: JobHandler {
    static let kind = BuildGenerationJob.kind

    let pool: PostgresPool
    let qdrant: Qdrant
    let queue: JobQueue
    let logger: Logger

    /// Documents enqueued at a time: their jobs are bulk work behind everything else.
    private static let batchCountMax = 200

    func handle(_ job: ClaimedJob) async throws {
        let number = try job.decode(BuildGenerationJob.self).number
        let generation = try await pool.read { try GenerationStore($0).find(number) }
        guard let generation, generation.state == .building else { return }
        do {
            try await qdrant.ensureCollection(
                generation.collection, dimensionCount: generation.index.dimensionCount)
        } catch {
            throw IndexingFailure.sorted(error)
        }
        let isWhole = try await pool.transaction { transaction in
            try job.requireLease(in: transaction)
            let missing = try DocumentStore(transaction).listMissing(
                in: number, limit: Self.batchCountMax)
            for document in missing { try enqueue(document, transaction) }
            return missing.isEmpty
        }
        guard isWhole else { throw JobFailure.snooze(.seconds(1)) }
        guard try await swap(number, job) else { throw JobFailure.snooze(.seconds(1)) }
        logger.info("index generation is live", metadata: ["generation.number": "\(number)"])
    }

    /// Once per document, however often we look.
    private func enqueue(_ document: Document.ID, _ transaction: Transaction) throws {
        let subject = document.description
        let kinds = [ReindexDocumentJob.kind, IndexAttachmentJob.kind]
        guard try !DocumentStore(transaction).hasOpenJob(document, of: kinds) else { return }
        try queue.enqueue(
            ReindexDocumentJob.kind, ReindexDocumentJob(documentID: document), subject: subject,
            priority: .bulk, in: transaction)
    }

    /// False when a document came meanwhile that the new generation lacks.
    private func swap(_ number: Int, _ job: ClaimedJob) async throws -> Bool {
        try await pool.transaction { transaction in
            try job.requireLease(in: transaction)
            guard let retired = try GenerationStore(transaction).setLive(number) else {
                return false
            }
            if let old = retired.old {
                try queue.enqueue(
                    DropGenerationJob.kind, DropGenerationJob(number: old),
                    subject: "generation \(old)", priority: .bulk, in: transaction)
            }
            try transaction.notify(Channel.generations, String(number))
            try job.complete(in: transaction)
            return true
        }
    }
}
