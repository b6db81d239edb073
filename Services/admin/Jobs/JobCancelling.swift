import Database
import Domain
import HTTPService
import HTTPTypes
import JobQueue
import Postgres

/// Has jobs ended that operators cancel. A worker carries it out through the kind's own handler,
/// which knows what waits for the job.
struct JobCancelling: Sendable {
    let pool: PostgresPool
    let queue: JobQueue

    /// The job as it then is: `cancelling`, or ended by cancelling before.
    func cancel(_ id: JobID, by author: AuditAuthor) async throws -> JobOverview {
        try await pool.transaction { transaction in
            let store = JobOverviewStore(transaction)
            guard let job = try store.find(id.rawValue) else { throw Problem.jobNotFound }
            if job.state == .cancelling || job.state == .cancelled { return job }
            if job.state.isEnd { throw Problem.jobEnded }
            try Self.requireCancellable(job, transaction)
            let isRequested = try queue.requestCancel(of: id, in: transaction)
            // It may have ended, or gone, while we looked.
            guard let latest = try store.find(id.rawValue) else { throw Problem.jobNotFound }
            guard latest.state == .cancelling || latest.state == .cancelled else {
                throw Problem.jobEnded
            }
            if isRequested {
                try AuditStore(transaction).record(
                    .jobCancelled, id.description, ["kind": job.kind, "job_subject": job.subject],
                    by: author)
            }
            return latest
        }
    }

    private static func requireCancellable(
        _ job: JobOverview, _ transaction: Transaction
    ) throws {
        switch job.kind {
        case IndexAttachmentJob.kind, IndexTrainingPageJob.kind: return
        case ReindexDocumentJob.kind:
            // The building would ask for the document again, as long as it lacks it.
            guard try GenerationStore(transaction).building() == nil else {
                throw Problem.partOfGeneration
            }
        case BuildGenerationJob.kind: throw Problem.partOfGeneration
        case EraseDocumentJob.kind, SweepRevisionsJob.kind, DropGenerationJob.kind,
            EnforceRetentionJob.kind:
            throw Problem.deletionOwed
        default: throw Problem.notCancellable
        }
    }
}

extension Problem {
    static let jobNotFound = Problem(
        .notFound, code: "job_not_found", detail: "There is no such job.")
    fileprivate static let jobEnded = Problem.conflict(
        "job_ended", "The job is over: there is nothing left to cancel.")
    fileprivate static let partOfGeneration = Problem.conflict(
        "part_of_generation",
        "The job builds an index generation: see GET /admin/generations.")
    fileprivate static let deletionOwed = Problem.conflict(
        "deletion_owed", "The job deletes what has to go, and cannot be cancelled.")
    fileprivate static let notCancellable = Problem.conflict(
        "not_cancellable", "Jobs of this kind cannot be cancelled.")
}
