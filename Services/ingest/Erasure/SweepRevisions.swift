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

    /// Whoever writes points of a document.
    static let indexingKinds = [
        IndexAttachmentJob.kind, IndexTrainingPageJob.kind, ReindexDocumentJob.kind,
    ]

    let pool: PostgresPool
    let qdrant: Qdrant

    func handle(_ job: ClaimedJob) async throws {
        let id = try job.decode(SweepRevisionsJob.self).documentID
        let (isBusy, revisions, stray) = try await pool.read { session in
            (
                try DocumentStore(session).isBeingWorkedOn(id, by: Self.indexingKinds),
                try RevisionStore(session).listUnshown(of: id),
                try RevisionStore(session).listStray(of: id)
            )
        }
        if isBusy { throw JobFailure.snooze(.milliseconds(Int.random(in: 1_000...3_000))) }
        do {
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
}
