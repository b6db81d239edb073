package import FoundationEssentials
package import Postgres
internal import Synchronization

/// A job while this process may work on it.
package struct ClaimedJob: Sendable {
    package let id: JobID
    package let kind: String
    /// JSON.
    package let payload: [UInt8]
    package let subject: String
    package let owner: String
    /// The fencing number: rises at every claim.
    package private(set) var attempt: Int
    /// Attempts that failed before this one.
    package let failureCount: Int
    package let createdAt: Date
    /// It was claimed only to be ended.
    let isCancelled: Bool
    let lease: JobLease

    init(_ row: Row, lease: JobLease) throws(PostgresError) {
        id = JobID(rawValue: try row.get("id"))
        kind = try row.get("kind")
        payload = Array(try row.get("payload", as: String.self).utf8)
        subject = try row.get("subject")
        owner = try row.get("owner_key")
        attempt = try row.get("attempt")
        failureCount = try row.get("failure_count")
        createdAt = try row.get("created_at")
        isCancelled = try row.get("is_cancelled")
        self.lease = lease
    }

    private static let undecodable = "undecodable"

    /// Runs what ends whatever waits for the job. Of one that cannot be read nobody knows what does.
    func end(_ hook: () throws -> Void) throws {
        do {
            try hook()
        } catch JobFailure.giveUp(Self.undecodable, _) {}
    }

    /// A payload that does not decode never will: the job is given up.
    package func decode<Payload: Decodable>(_: Payload.Type = Payload.self) throws -> Payload {
        do {
            return try JSONDecoder().decode(Payload.self, from: Data(payload))
        } catch {
            throw JobFailure.giveUp(
                code: Self.undecodable, message: "the job's payload: \(error)")
        }
    }

    /// For how long nobody else can claim it. Rather too short than too long: it counts from before
    /// the lease was asked for.
    package func leaseRemaining() -> Duration { lease.remaining() }

    /// Ends the job with the transaction that holds its effect. Throws `.leaseLost` when the effect
    /// must not be, because the job is another's.
    package func complete(in transaction: Transaction) throws {
        let rows = try transaction.run(
            """
            UPDATE jobs SET state = 'done', worker = NULL, reason = NULL, finished_at = now()
            WHERE \(sql: isOurs) RETURNING id
            """)
        guard !rows.isEmpty else { throw JobFailure.leaseLost }
        lease.markCompleted()
    }

    /// Keeps the job ours until the transaction ends, and throws `.leaseLost` when it is not.
    package func requireLease(in transaction: Transaction) throws {
        let rows = try transaction.run("SELECT id FROM jobs WHERE \(sql: isOurs) FOR UPDATE")
        guard !rows.isEmpty else { throw JobFailure.leaseLost }
    }

    /// Says how far the work is, from 0 to 1. What an earlier attempt reached stands. Nothing happens
    /// when the job is another's.
    package func report(_ progress: Double, in transaction: Transaction) throws {
        try transaction.run(
            """
            UPDATE jobs SET progress = greatest(progress, \(progress)::real), progressed_at = now()
            WHERE \(sql: isOurs)
            """)
    }

    /// The same job behind the fence that its cancelling put up, if it was that which took it from us.
    var behindFence: ClaimedJob {
        var job = self
        job.attempt += 1
        return job
    }

    /// The fence around everything that a holder writes.
    var isOurs: SQL {
        "id = \(id.rawValue) AND attempt = \(attempt) AND state = 'running'"
    }
}

/// Until when a claim holds, on this process's own clock.
final class JobLease: Sendable {
    private struct State {
        var end: ContinuousClock.Instant
        var isCompleted = false
    }

    let duration: Duration
    private let state: Mutex<State>

    /// - Parameter askedAt: before the claim was sent.
    init(_ duration: Duration, askedAt: ContinuousClock.Instant) {
        self.duration = duration
        state = Mutex(State(end: askedAt + duration))
    }

    func remaining() -> Duration { state.withLock { $0.end - .now } }

    func renew(askedAt: ContinuousClock.Instant) {
        state.withLock { $0.end = askedAt + duration }
    }

    /// The handler has asked for the job's end: no renewing is a loss any more.
    func markCompleted() { state.withLock { $0.isCompleted = true } }

    var isCompleted: Bool { state.withLock { $0.isCompleted } }
}
