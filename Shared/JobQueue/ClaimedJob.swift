package import FoundationEssentials
package import Postgres
import Synchronization

/// A job that is ours until its lease ends.
package struct ClaimedJob: Sendable {
    package let id: JobID
    package let kind: String
    package let payload: [UInt8]
    package let subject: String
    package let owner: String
    /// The fencing number: rises at every claim.
    package let attempt: Int
    package let failureCount: Int
    package let createdAt: Date
    let lease: JobLease

    package func decode<Payload: Decodable>(_ type: Payload.Type = Payload.self) throws -> Payload {
        try JSONDecoder().decode(type, from: Data(payload))
    }

    /// What is surely left, by our own clock from before the server's answer.
    package func leaseRemaining() -> Duration { lease.remaining() }

    /// Finishes the job in the transaction that holds its effect.
    package func complete(in transaction: Transaction) throws {
        let rows = try transaction.run(
            """
            UPDATE jobs SET state = 'done', finished_at = now(), reason = NULL
            WHERE id = \(id) AND attempt = \(attempt) AND state = 'running' RETURNING id
            """)
        if rows.isEmpty { throw JobFailure.leaseLost }
    }

    /// Locks the job's row, so that nobody takes the job over before this transaction ends.
    package func requireLease(in transaction: Transaction) throws {
        let rows = try transaction.run(
            """
            SELECT id FROM jobs
            WHERE id = \(id) AND attempt = \(attempt) AND state = 'running' FOR UPDATE
            """)
        if rows.isEmpty { throw JobFailure.leaseLost }
    }
}

/// Until when a job is ours, as far as we know.
final class JobLease: Sendable {
    private let end: Mutex<ContinuousClock.Instant>

    init(until end: ContinuousClock.Instant) { self.end = Mutex(end) }

    func extend(until end: ContinuousClock.Instant) { self.end.withLock { $0 = end } }

    func remaining() -> Duration {
        max(.zero, ContinuousClock.now.duration(to: end.withLock { $0 }))
    }
}
