import Database
import Domain
import JobQueue
import Postgres
import Qdrant

/// Removes a retired collection once no chat replica asks it any more.
struct DropGeneration: JobHandler {
    static let kind = DropGenerationJob.kind

    let pool: PostgresPool
    let qdrant: Qdrant

    func handle(_ job: ClaimedJob) async throws {
        let number = try job.decode(DropGenerationJob.self).number
        let generation = try await pool.read { try GenerationStore($0).find(number) }
        guard let generation, generation.state == .retired else { return }
        let isAsked = try await pool.read { try GenerationStore($0).isAsked(number) }
        guard !isAsked else { throw JobFailure.snooze(.seconds(10)) }
        do {
            try await qdrant.deleteCollection(generation.collection)
        } catch {
            throw IndexingFailure.sorted(error)
        }
        try await pool.transaction { transaction in
            try job.requireLease(in: transaction)
            try GenerationStore(transaction).setDropped(number)
            try job.complete(in: transaction)
        }
    }
}
