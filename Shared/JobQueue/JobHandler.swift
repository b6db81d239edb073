package import Postgres

/// Does the jobs of one kind.
package protocol JobHandler: Sendable {
    static var kind: String { get }

    /// Returning finishes the job, unless it was completed in a transaction already.
    func handle(_ job: ClaimedJob) async throws

    /// The job is dead; in the same transaction, so that nobody sees one without the other.
    func died(_ job: ClaimedJob, reason: String, in transaction: Transaction) throws
}

extension JobHandler {
    package func died(_ job: ClaimedJob, reason: String, in transaction: Transaction) throws {}
}
