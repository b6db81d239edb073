import Database
import Domain
import JobQueue
import Logging
import Postgres
import Qdrant

/// What follows a swap: people's alias moves, and retired generations that nobody goes back to go.
struct GenerationSuccession: Sendable {
    let pool: PostgresPool
    let qdrant: Qdrant
    let queue: JobQueue
    /// `QDRANT_COLLECTION`: what the names of collections begin with.
    let collectionBase: String
    /// `GENERATIONS_KEPT`: retired ones, beside the live one.
    let keptCount: Int
    let logger: Logger

    /// Ends the job that made the swap.
    func settle(_ job: ClaimedJob) async throws {
        try await moveAlias()
        try await pool.transaction { transaction in
            try job.requireLease(in: transaction)
            let store = GenerationStore(transaction)
            for number in try store.listPrunable(keeping: keptCount) {
                guard try store.setDropping(number) else { continue }
                try queue.enqueue(
                    DropGenerationJob.kind, DropGenerationJob(number: number),
                    subject: Generation.subject(number), priority: .bulk, in: transaction)
            }
            try job.complete(in: transaction)
        }
    }

    /// To the live one, whichever that is by the time it has moved.
    func moveAlias() async throws {
        var pointed: Int?
        while let live = try await pool.read({ try GenerationStore($0).live() }),
            live.number != pointed
        {
            do {
                try await qdrant.setAlias("\(collectionBase)__live", to: live.collection)
            } catch QdrantError.refused(let status, _) {
                // Ours never ask by alias; a name that somebody took is no reason to stop.
                logger.warning("alias was not moved", metadata: ["status": "\(status)"])
            }
            pointed = live.number
        }
    }
}
