package import Postgres

/// Carries out the jobs of one kind.
///
/// An attempt may end anywhere, and the next one repeats it: whatever it does must bear that.
package protocol JobHandler: Sendable {
    static var kind: String { get }

    /// Returns, or throws a `JobFailure`. Any other error is retried with back-off; the database
    /// being away uses no attempt. Returning without `complete(in:)` completes the job.
    func handle(_ job: ClaimedJob) async throws

    /// In the transaction that makes the job dead. Reason is `code: message` of a job given up, and
    /// otherwise the last error in words.
    func died(_ job: ClaimedJob, reason: String, in transaction: Transaction) throws

    /// In the transaction that ends a job which an operator has cancelled. Nobody is at it any more.
    func cancelled(_ job: ClaimedJob, in transaction: Transaction) throws
}

extension JobHandler {
    package func died(_ job: ClaimedJob, reason: String, in transaction: Transaction) throws {}

    package func cancelled(_ job: ClaimedJob, in transaction: Transaction) throws {
        try died(job, reason: JobQueue.cancelledReason, in: transaction)
    }
}

/// How a handler ends a job it could not finish.
package enum JobFailure: Error, Sendable, Equatable {
    /// Trying again cannot help.
    case giveUp(code: String, message: String)
    /// This attempt failed; the next one is not to come sooner.
    case retry(after: Duration)
    /// Something it needs is away. Uses no attempt.
    case snooze(Duration)
    /// Somebody else has the job now, or nobody shall.
    case leaseLost
}
