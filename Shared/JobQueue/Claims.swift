internal import Postgres

/// What a worker writes about the jobs it holds. Every statement is fenced by the attempt.
struct Claims: Sendable {
    let pool: PostgresPool
    let kinds: [String]
    let workerName: String
    let leaseSeconds: Int

    /// A job that waited longer than this goes first, whatever its priority, in one claim of four.
    private static let agedSeconds = 300

    /// The next job that is due, or whose holder went silent. Kinds this worker does not know are
    /// left for one that does.
    func claim(agedFirst: Bool = false) async throws -> ClaimedJob? {
        if agedFirst, let job = try await claim(waitSeconds: Self.agedSeconds, "claimable_at") {
            return job
        }
        return try await claim(waitSeconds: 0, "priority, tag, id")
    }

    private func claim(waitSeconds: Int, _ order: SQL) async throws -> ClaimedJob? {
        let askedAt = ContinuousClock.now
        let row = try await pool.read { session in
            // A holder that went silent failed: what kills its worker must not do so for ever.
            try session.run(
                """
                WITH claimed AS (
                    UPDATE jobs SET
                        state = 'running', attempt = attempt + 1, worker = \(workerName),
                        progressed_at = now(), started_at = now(),
                        first_started_at = coalesce(first_started_at, now()),
                        attempts = CASE state
                            WHEN 'running' THEN with_attempt(jobs, 'lost', NULL)
                            ELSE attempts END,
                        failure_count = failure_count
                            + CASE state WHEN 'running' THEN 1 ELSE 0 END,
                        claimable_at = now()
                            + make_interval(secs => \(leaseSeconds)::double precision)
                    WHERE id = (
                        SELECT id FROM jobs
                        WHERE state IN ('ready', 'running') AND kind = ANY(\(kinds)::text[])
                          AND claimable_at <= now()
                              - make_interval(secs => \(waitSeconds)::double precision)
                        ORDER BY \(sql: order) LIMIT 1 FOR UPDATE SKIP LOCKED)
                    RETURNING id, kind, payload, subject, owner_key, attempt, failure_count,
                        created_at, tag, cancelled_at IS NOT NULL AS is_cancelled
                ), clock AS (
                    UPDATE job_clocks SET tag = claimed.tag FROM claimed
                    WHERE name = 'queue' AND job_clocks.tag < claimed.tag
                )
                SELECT * FROM claimed
                """
            ).first
        }
        let lease = JobLease(.seconds(leaseSeconds), askedAt: askedAt)
        return try row.map { try ClaimedJob($0, lease: lease) }
    }

    /// When the next job falls due; nil when none is waiting.
    func nextDue() async throws -> Duration? {
        try await pool.read { session in
            let row = try session.run(
                """
                SELECT extract(epoch FROM min(claimable_at) - now())::float8 AS seconds FROM jobs
                WHERE state IN ('ready', 'running') AND kind = ANY(\(kinds)::text[])
                """
            ).first
            return try row?.find("seconds", as: Double.self).map { Duration.seconds($0) }
        }
    }

    /// False when the lease is another's, or the job ended.
    func renew(_ job: ClaimedJob) async throws -> Bool {
        let askedAt = ContinuousClock.now
        // Shorter than the lease: an answer that comes later is of no use.
        let isRenewed = try await pool.read(deadline: .seconds(max(1, leaseSeconds / 4))) {
            try !$0.run(
                """
                UPDATE jobs SET claimable_at = now()
                    + make_interval(secs => \(leaseSeconds)::double precision)
                WHERE \(sql: job.isOurs) RETURNING id
                """
            ).isEmpty
        }
        if isRenewed { job.lease.renew(askedAt: askedAt) }
        return isRenewed
    }

    /// How an attempt ended after which there will be another.
    enum Interruption: String {
        case failed
        case snoozed
        case handedBack = "handed_back"
    }

    /// Back into the queue. Throws `.leaseLost` when it is not ours to give back.
    func release(
        _ job: ClaimedJob, as interruption: Interruption, after pause: Duration,
        failureCount: Int, reason: String?
    ) async throws {
        try await pool.transaction { transaction in
            let rows = try transaction.run(
                """
                UPDATE jobs SET state = 'ready', worker = NULL, reason = \(reason),
                    failure_count = \(failureCount),
                    attempts = with_attempt(jobs, \(interruption.rawValue), \(reason)),
                    claimable_at = now() + make_interval(secs => \(pause / .seconds(1)))
                WHERE \(sql: job.isOurs) RETURNING id
                """)
            guard !rows.isEmpty else { throw JobFailure.leaseLost }
            try transaction.notify(JobQueue.channel, job.kind)
        }
    }

    /// Dead, with whatever its kind does about that, at once or not at all.
    func bury(
        _ job: ClaimedJob, failureCount: Int, reason: String, handler: any JobHandler
    ) async throws {
        try await pool.transaction { transaction in
            // The hook first: its locks come before the job's, as everywhere.
            try job.requireRunning(in: transaction)
            try job.end { try handler.died(job, reason: reason, in: transaction) }
            let rows = try transaction.run(
                """
                UPDATE jobs SET state = 'dead', worker = NULL, reason = \(reason),
                    failure_count = \(failureCount), finished_at = now(),
                    attempts = with_attempt(jobs, 'died', \(reason))
                WHERE \(sql: job.isOurs) RETURNING id
                """)
            guard !rows.isEmpty else { throw JobFailure.leaseLost }
        }
    }

    /// Ended as an operator asked, with whatever its kind does about that, at once or not at all.
    /// Throws `.leaseLost` when nobody asked, or somebody else has seen to it.
    func cancel(_ job: ClaimedJob, handler: any JobHandler) async throws {
        try await pool.transaction { transaction in
            try job.requireCancelling(in: transaction)
            try job.end { try handler.cancelled(job, in: transaction) }
            let rows = try transaction.run(
                """
                UPDATE jobs SET state = 'cancelled', worker = NULL, finished_at = now(),
                    reason = \(JobQueue.cancelledReason)
                WHERE \(sql: job.isOurs) RETURNING id
                """)
            guard !rows.isEmpty else { throw JobFailure.leaseLost }
        }
    }

    func complete(_ job: ClaimedJob) async throws {
        try await pool.transaction { try job.complete(in: $0) }
    }
}

extension ClaimedJob {
    /// Like `requireLease`, without a lock.
    fileprivate func requireRunning(in transaction: Transaction) throws {
        let rows = try transaction.run("SELECT id FROM jobs WHERE \(sql: isOurs)")
        guard !rows.isEmpty else { throw JobFailure.leaseLost }
    }

    fileprivate func requireCancelling(in transaction: Transaction) throws {
        let rows = try transaction.run(
            "SELECT id FROM jobs WHERE \(sql: isOurs) AND cancelled_at IS NOT NULL")
        guard !rows.isEmpty else { throw JobFailure.leaseLost }
    }
}
