import Database
import Domain
import JobQueue
import Postgres
import Qdrant

/// Removes a document's points from generations that do not show them, then its revisions that none shows.
///
/// Indexing the same document may be about to show one of them. Both sides are visible as running
/// before they look for the other, so at least one of them sees the other and waits.
struct SweepRevisions: JobHandler {
    static let kind = SweepRevisionsJob.kind

    let pool: PostgresPool
    let qdrant: Qdrant

    func handle(_ job: ClaimedJob) async throws {
        let payload = try job.decode(SweepRevisionsJob.self)
        let id = payload.documentID
        let (isBusy, revisions, stray) = try await pool.read { session in
            (
                try DocumentStore(session).isBeingWorkedOn(id, by: SweepRevisionsJob.indexingKinds),
                try RevisionStore(session).listUnshown(of: id),
                try RevisionStore(session).listStray(of: id)
            )
        }
        if isBusy { throw JobFailure.snooze(.milliseconds(Int.random(in: 1_000...3_000))) }
        do {
            if let orphans = payload.orphans { try await erase(orphans, of: id, job) }
            for (revision, collection) in stray {
                try await qdrant.deletePoints(revision: revision, in: collection)
            }
        } catch {
            throw IndexingFailure.sorted(error)
        }
        try await pool.transaction { transaction in
            try job.requireLease(in: transaction)
            let owner = try DocumentStore(transaction).find(id)?.owner ?? .shared
            for revision in revisions {
                try EmbeddingStore(transaction).deleteOnly(of: revision, owner: owner)
                try RevisionStore(transaction).delete(revision)
            }
            try job.complete(in: transaction)
        }
    }

    /// Those that nothing has come to show since they were found. Nobody else begins to write points of
    /// the document as long as this job is ours.
    private func erase(
        _ orphans: SweepRevisionsJob.OrphanedPoints, of document: Document.ID, _ job: ClaimedJob
    ) async throws {
        let found = try await pool.read { try GenerationStore($0).find(orphans.generation) }
        guard let generation = found, generation.state != .dropped else { return }
        let points = orphans.ids.map { SuspectedPoint(id: $0, document: document) }
        let unexplained = try await pool.transaction { transaction in
            try job.requireLease(in: transaction)
            return try ConsistencyStore(transaction).findUnexplained(
                points, in: generation.number, heeding: SweepRevisionsJob.indexingKinds)
        }
        try await qdrant.deletePoints(Array(unexplained.keys), in: generation.collection)
    }
}
