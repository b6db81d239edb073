import FoundationEssentials
import Postgres

/// The statements that move a job from state to state.
struct JobTable: Sendable {
    let pool: PostgresPool
    let leaseSeconds: Int
    let workerName: String

    /// How long a job of a lower priority waits until it goes as if one higher, in seconds.
    private static let ageingSeconds = 120

    /// What is due, or what a dead worker left: `claimable_at` says both.
    ///
    /// The order is priority, then the owners' tags. Of every few claims one takes the job that has
    /// waited longest whatever its priority, so that bulk work goes on under a stream of uploads.
    func claim(kinds: [String], oldestFirst: Bool) async throws -> ClaimedJob? {
        let before = ContinuousClock.now
        let order: SQL = oldestFirst ? "claimable_at, id" : "priority, tag, id"
        let aged: SQL =
            oldestFirst
            ? "AND claimable_at < now() - make_interval(secs => \(Double(Self.ageingSeconds)))" : ""
        return try await pool.transaction { transaction in
            let rows = try transaction.run(
                """
                UPDATE jobs SET state = 'running', attempt = attempt + 1, worker = \(workerName),
                    claimable_at = now() + make_interval(secs => \(Double(leaseSeconds)))
                WHERE id = (
                    SELECT id FROM jobs
                    WHERE state IN ('ready', 'running') AND claimable_at <= now()
                      AND kind = ANY(\(kinds)) \(sql: aged)
                    ORDER BY \(sql: order) LIMIT 1 FOR UPDATE SKIP LOCKED)
                RETURNING id, kind, payload::text AS payload, subject, owner_key, attempt,
                          failure_count, created_at, priority, tag
                """)
            guard let row = rows.first else { return nil }
            if let priority = JobPriority(rawValue: try row.get("priority")) {
                try advance(JobQueue.queueClock(priority), to: try row.get("tag"), in: transaction)
            }
            return ClaimedJob(
                id: try row.get("id"), kind: try row.get("kind"),
                payload: Array(try row.get("payload", as: String.self).utf8),
                subject: try row.get("subject"), owner: try row.get("owner_key"),
                attempt: try row.get("attempt"), failureCount: try row.get("failure_count"),
                createdAt: try row.get("created_at"),
                lease: JobLease(until: before + .seconds(leaseSeconds)))
        }
    }

    /// False when the job is no longer ours.
    func renew(_ job: ClaimedJob) async throws -> Bool {
        let before = ContinuousClock.now
        let rows = try await pool.read(deadline: .seconds(5)) { session in
            try session.run(
                """
                UPDATE jobs SET claimable_at = now() + make_interval(secs => \(Double(leaseSeconds)))
                WHERE id = \(job.id) AND attempt = \(job.attempt) AND state = 'running'
                RETURNING id
                """)
        }
        if rows.isEmpty { return false }
        job.lease.extend(until: before + .seconds(leaseSeconds))
        return true
    }

    /// Finishes a job whose handler did not; one that it finished stays as it is.
    func complete(_ job: ClaimedJob) async throws {
        _ = try await pool.read { session in
            try session.run(
                """
                UPDATE jobs SET state = 'done', finished_at = now(), reason = NULL
                WHERE id = \(job.id) AND attempt = \(job.attempt) AND state = 'running'
                """)
        }
    }

    /// Back into the queue. `failed` counts towards the most attempts.
    func release(
        _ job: ClaimedJob, after pause: Duration, failed: Bool, reason: String?
    ) async throws {
        _ = try await pool.read { session in
            try session.run(
                """
                UPDATE jobs SET state = 'ready', worker = NULL, reason = \(reason),
                    failure_count = failure_count + \(failed ? 1 : 0)::bigint::int,
                    claimable_at = now() + make_interval(secs => \(pause.inSeconds))
                WHERE id = \(job.id) AND attempt = \(job.attempt) AND state = 'running'
                """)
        }
    }

    func bury(_ job: ClaimedJob, reason: String, handler: any JobHandler) async throws {
        try await pool.transaction { transaction in
            let rows = try transaction.run(
                """
                UPDATE jobs SET state = 'dead', reason = \(reason), finished_at = now(),
                    failure_count = failure_count + 1
                WHERE id = \(job.id) AND attempt = \(job.attempt) AND state = 'running'
                RETURNING id
                """)
            if !rows.isEmpty { try handler.died(job, reason: reason, in: transaction) }
        }
    }

    /// Finished jobs are kept a week for whoever asks what happened.
    func prune() async throws {
        _ = try await pool.read { session in
            try session.run(
                """
                DELETE FROM jobs WHERE id IN (
                    SELECT id FROM jobs WHERE state IN ('done', 'cancelled')
                      AND finished_at < now() - interval '7 days' LIMIT 1000)
                """)
        }
    }

    private func advance(
        _ clock: String, to tag: Int, in transaction: Transaction
    ) throws(PostgresError) {
        try transaction.run(
            """
            INSERT INTO job_clocks AS c (owner_key, tag) VALUES (\(clock), \(tag))
            ON CONFLICT (owner_key) DO UPDATE SET tag = greatest(c.tag, excluded.tag)
            """)
    }
}

extension Duration {
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
