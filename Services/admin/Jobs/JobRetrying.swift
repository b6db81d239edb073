import Database
import Domain
import HTTPService
import HTTPTypes
import JobQueue
import Postgres

/// Has dead jobs begin anew, and what they are about read accordingly.
struct JobRetrying: Sendable {
    let pool: PostgresPool
    let queue: JobQueue

    /// In one transaction; the next one takes the next.
    private static let batchCountMax = 100
    /// In one request, which has to be answered in a minute.
    private static let countMax = 5_000
    private static let timeMax = Duration.seconds(30)

    func retry(_ id: JobID, by author: AuditAuthor) async throws -> JobOverview {
        try await pool.transaction { transaction in
            let store = JobOverviewStore(transaction)
            guard let job = try store.find(id.rawValue) else { throw Problem.jobNotFound }
            try Self.lock([job.subject], transaction)
            switch try retry(job, transaction) {
            case .retried: break
            case .notDead: throw Problem.jobNotDead
            case .over: throw Problem.syncOver
            }
            try AuditStore(transaction).record(
                .jobRetried, id.description, ["kind": job.kind, "job_subject": job.subject],
                by: author)
            guard let latest = try store.find(id.rawValue) else { throw Problem.jobNotFound }
            return latest
        }
    }

    struct Counts: Sendable {
        var retriedCount = 0
        /// What waited for them has gone on without them.
        var skippedCount = 0
        /// Not looked at: more than one request does.
        var remainingCount = 0
    }

    /// Those that are dead now, oldest first. One that dies again meanwhile stays dead.
    func retryAll(_ letters: DeadLetters, by author: AuditAuthor) async throws -> Counts {
        let end = ContinuousClock.now + Self.timeMax
        var counts = Counts()
        guard let last = try await pool.read({ try letters.newest($0) }) else { return counts }
        var position = 0
        while position < last {
            let seenCount = counts.retriedCount + counts.skippedCount
            guard seenCount < Self.countMax, ContinuousClock.now < end else { break }
            let batch = try await retryBatch(letters, after: position, upTo: last, by: author)
            counts.retriedCount += batch.retriedCount
            counts.skippedCount += batch.skippedCount
            position = batch.position
        }
        let first = position
        counts.remainingCount =
            first < last
            ? try await pool.read { try letters.count(after: first, upTo: last, $0) } : 0
        return counts
    }

    private struct Batch {
        var retriedCount = 0
        var skippedCount = 0
        /// How far it came.
        var position: Int
    }

    private func retryBatch(
        _ letters: DeadLetters, after first: Int, upTo last: Int, by author: AuditAuthor
    ) async throws -> Batch {
        try await pool.transaction { transaction in
            let found = try letters.list(
                after: first, upTo: last, limit: Self.batchCountMax, transaction)
            try Self.lock(found.map(\.subject), transaction)
            // The last batch ends the walk, whatever was retried by somebody else meanwhile.
            var batch = Batch(
                position: found.count < Self.batchCountMax ? last : found.last?.id ?? last)
            for job in try JobOverviewStore(transaction).find(found.map(\.id)) {
                switch try retry(job, transaction) {
                case .retried: batch.retriedCount += 1
                case .over: batch.skippedCount += 1
                case .notDead: break
                }
            }
            guard batch.retriedCount > 0 else { return batch }
            var details = ["count": "\(batch.retriedCount)"]
            details["reason"] = letters.reason
            details["kind"] = letters.kind
            try AuditStore(transaction).record(.jobsRetried, "", details, by: author)
            return batch
        }
    }

    /// Documents are locked before jobs, everywhere, and in one order.
    private static func lock(_ subjects: [String], _ transaction: Transaction) throws {
        let documents = Set(subjects).compactMap { Document.ID($0) }
        for document in documents.sorted(by: { $0.description < $1.description }) {
            _ = try DocumentStore(transaction).findLocked(document)
        }
    }

    private enum Outcome {
        case retried
        case notDead
        /// Nobody waits for it any more.
        case over
    }

    private func retry(_ job: JobOverview, _ transaction: Transaction) throws -> Outcome {
        guard job.state == .dead else { return .notDead }
        switch job.kind {
        case IndexAttachmentJob.kind:
            guard let id = Attachment.ID(job.subject) else { break }
            try UnindexedStore(transaction).setQueued(id)
            try transaction.notify(Channel.attachments, id.description)
        case IndexTrainingPageJob.kind:
            let payload = try JobOverviewStore(transaction).payload(
                of: job.id, as: IndexTrainingPageJob.self)
            guard let payload,
                try TrainingSyncStore(transaction).reopenPage(
                    payload.documentID, of: payload.syncID)
            else { return .over }
        default: break
        }
        return try queue.retry(JobID(rawValue: job.id), in: transaction) ? .retried : .notDead
    }
}

extension Problem {
    fileprivate static let jobNotDead = Problem.conflict(
        "job_not_dead", "Only a dead job can be retried.")
    fileprivate static let syncOver = Problem.conflict(
        "sync_over",
        "The sync went on without this page: POST /admin/training-materials/sync tries it again.")
}
