import Database
import Domain
import JobQueue
import ObjectStorage
import Postgres
import Qdrant

/// Removes what is left of a deleted document: its points in every generation, its bytes, its rows.
struct EraseDocument: JobHandler {
    static let kind = EraseDocumentJob.kind

    let pool: PostgresPool
    let points: PointErasure
    let storage: any ObjectStorage

    func handle(_ job: ClaimedJob) async throws {
        let id = try job.decode(EraseDocumentJob.self).documentID
        let tombstone = try await pool.read { try DocumentStore($0).findTombstone(id) }
        guard let tombstone else { return }
        if tombstone.remainingSeconds > 0 {
            // Points that a worker is still writing would come after their deletion.
            throw JobFailure.snooze(.milliseconds(Int(tombstone.remainingSeconds * 1000) + 100))
        }
        // What it said needs no other store to be gone.
        try await pool.transaction { transaction in
            try job.requireLease(in: transaction)
            try EmbeddingStore(transaction).deleteOnly(of: id, owner: tombstone.owner)
            try DocumentStore(transaction).eraseText(id)
        }
        do {
            guard try await points.erase(id) else { throw JobFailure.retry(after: .seconds(1)) }
            if let key = tombstone.storageKey { try await storage.delete(key: key) }
        } catch {
            throw IndexingFailure.sorted(error)
        }
        try await pool.transaction { transaction in
            try job.requireLease(in: transaction)
            try DocumentStore(transaction).erase(id)
            try job.complete(in: transaction)
        }
    }
}

/// Takes a document's points out of every collection there is.
struct PointErasure: Sendable {
    let pool: PostgresPool
    let qdrant: Qdrant

    /// False when some are still counted afterwards.
    func erase(_ document: Document.ID) async throws -> Bool {
        let generations = try await pool.read { try GenerationStore($0).list() }
        for generation in generations where generation.state != .dropped {
            try await qdrant.deletePoints(document: document, in: generation.collection)
            let count = try await qdrant.countPoints(document: document, in: generation.collection)
            guard count == 0 else { return false }
        }
        return true
    }

    /// Tries within a time, and says nothing when it does not succeed: the job will.
    func erase(_ document: Document.ID, within limit: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // Safe: `EraseDocument` does it again until it is done.
                _ = try? await erase(document)
            }
            group.addTask {
                // Cancelled when the other one is first.
                try? await Task.sleep(for: limit)
            }
            await group.next()
            group.cancelAll()
        }
    }
}
