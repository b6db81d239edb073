import JobQueue
import Postgres
import Synchronization

/// Does what the test says, and remembers what it was given.
struct ScriptedHandler: JobHandler {
    static let kind = "k"
    let body: @Sendable (ClaimedJob) async throws -> Void

    final class Record: Sendable {
        let subjects = Mutex<[String]>([])
        let reasons = Mutex<[String]>([])
    }
    let record = Record()

    init(_ body: @escaping @Sendable (ClaimedJob) async throws -> Void) { self.body = body }

    func handle(_ job: ClaimedJob) async throws {
        record.subjects.withLock { $0.append(job.subject) }
        try await body(job)
    }

    func died(_ job: ClaimedJob, reason: String, in transaction: Transaction) throws {
        record.reasons.withLock { $0.append(reason) }
        try transaction.run("INSERT INTO job_clocks VALUES ('died', \(job.attempt))")
    }
}
