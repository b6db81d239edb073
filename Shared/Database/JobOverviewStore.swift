package import Domain
package import FoundationEssentials
package import Postgres

/// Jobs as operators see them. Claiming and finishing are JobQueue's.
package struct JobOverviewStore {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    /// What to list; nil is no condition.
    package struct Filter: Sendable {
        package var state: JobState?
        package var kind: String?
        package var subject: String?

        package init(state: JobState? = nil, kind: String? = nil, subject: String? = nil) {
            self.state = state
            self.kind = kind
            self.subject = subject
        }

        fileprivate var condition: SQL {
            var conditions: [SQL] = ["true"]
            if let state { conditions.append(Self.condition(state)) }
            if let kind { conditions.append("kind = \(kind)") }
            if let subject { conditions.append("subject = \(subject)") }
            return SQL.joined(conditions, by: " AND ")
        }

        /// Spelled out, so that the indexes of some states serve.
        private static func condition(_ state: JobState) -> SQL {
            switch state {
            case .ready: "state = 'ready' AND cancelled_at IS NULL"
            case .running: "state = 'running' AND cancelled_at IS NULL"
            case .cancelling: "state IN ('ready', 'running') AND cancelled_at IS NOT NULL"
            case .done: "state = 'done'"
            case .dead: "state = 'dead'"
            case .cancelled: "state = 'cancelled'"
            }
        }
    }

    /// Newest first.
    ///
    /// - Parameter before: the last one of the page before.
    package func list(
        _ filter: Filter, before id: Int?, offset: Int, limit: Int
    ) throws(PostgresError) -> [JobOverview] {
        try jobs(
            """
            WHERE \(sql: filter.condition) AND id < \(id ?? Int.max)
            ORDER BY id DESC LIMIT \(limit) OFFSET \(offset)
            """)
    }

    /// How many there are, counted no further than this.
    package func count(_ filter: Filter, atMost limit: Int) throws(PostgresError) -> Int {
        try session.run(
            """
            SELECT count(*) AS total FROM (
                SELECT FROM jobs WHERE \(sql: filter.condition) LIMIT \(limit)) counted
            """
        ).first?.get("total") ?? 0
    }

    /// Of each kind the one that has been ready longest, not counting those that are to run later.
    package func listOldestWaiting() throws(PostgresError) -> [JobOverview] {
        try jobs(
            """
            WHERE id IN (
                SELECT DISTINCT ON (kind) id FROM jobs
                WHERE state = 'ready' AND cancelled_at IS NULL AND claimable_at <= now()
                ORDER BY kind, created_at, id)
            ORDER BY created_at, id
            """)
    }

    package func find(_ id: Int) throws(PostgresError) -> JobOverview? {
        try jobs("WHERE id = \(id)").first
    }

    package func find(_ ids: [Int]) throws(PostgresError) -> [JobOverview] {
        if ids.isEmpty { return [] }
        return try jobs("WHERE id = ANY(\(ids)::bigint[])")
    }

    /// What the job is to do, as its kind has it.
    package func payload<Payload: Codable & Sendable>(
        of id: Int, as: Payload.Type
    ) throws(PostgresError) -> Payload? {
        try session.run("SELECT payload FROM jobs WHERE id = \(id)").first?
            .get("payload", as: JSON<Payload>.self).value
    }

    /// The newest jobs about each of these, newest first.
    package func list(
        subjects: [String], limitEach: Int
    ) throws(PostgresError) -> [JobOverview] {
        try jobs(
            """
            WHERE id IN (
                SELECT latest.id FROM unnest(\(subjects)::text[]) AS s(subject)
                CROSS JOIN LATERAL (
                    SELECT j.id FROM jobs j WHERE j.subject = s.subject
                    ORDER BY j.id DESC LIMIT \(limitEach)) latest)
            ORDER BY id DESC
            """)
    }

    /// A job of this kind about this subject that is still to be done.
    package func findOpen(
        _ kind: String, subject: String
    ) throws(PostgresError) -> JobOverview? {
        try jobs(
            """
            WHERE subject = \(subject) AND kind = \(kind) AND state IN ('ready', 'running')
              AND cancelled_at IS NULL
            ORDER BY id DESC LIMIT 1
            """
        ).first
    }

    private func jobs(_ condition: SQL) throws(PostgresError) -> [JobOverview] {
        let rows = try session.run(
            """
            SELECT id, kind, subject, attempt, failure_count, reason, attempts, created_at,
                first_started_at, started_at, finished_at,
                CASE WHEN state IN ('ready', 'running') AND cancelled_at IS NOT NULL
                    THEN 'cancelling' ELSE state END AS state,
                CASE WHEN state IN ('ready', 'running') THEN claimable_at END AS due_at,
                round(progress::numeric, 3)::float8 AS progress,
                extract(epoch FROM first_started_at - created_at)::float8 AS waited_seconds,
                extract(epoch FROM CASE
                    WHEN state = 'running' THEN now()
                    WHEN state IN ('done', 'dead') THEN finished_at END - started_at)::float8
                    AS worked_seconds
            FROM jobs \(sql: condition)
            """)
        var jobs: [JobOverview] = []
        for row in rows { jobs.append(try JobOverview(row)) }
        return jobs
    }
}

package struct JobOverview: Sendable, Hashable {
    package let id: Int
    package let kind: String
    package let subject: String
    package let state: JobState
    package let attemptCount: Int
    package let failureCount: Int
    /// Why it failed last, for operators.
    package let reason: String?
    /// From 0 to 1.
    package let progress: Double
    /// Those that did not complete it, oldest first.
    package let interruptions: [JobInterruption]
    package let createdAt: Date
    /// When it may be claimed; of a running job, by another worker. Nil at its end.
    package let dueAt: Date?
    /// The first attempt's begin, and the last one's.
    package let firstStartedAt: Date?
    package let startedAt: Date?
    package let finishedAt: Date?
    /// Until the first attempt.
    package let waitedSeconds: Double?
    /// The last attempt's length, if it was the job's end or is going on.
    package let workedSeconds: Double?

    fileprivate init(_ row: Row) throws(PostgresError) {
        id = try row.get("id")
        kind = try row.get("kind")
        subject = try row.get("subject")
        state = try row.get("state")
        attemptCount = try row.get("attempt")
        failureCount = try row.get("failure_count")
        reason = try row.find("reason")
        progress = try row.get("progress")
        interruptions = try row.get("attempts", as: JSON<[JobInterruption]>.self).value
        createdAt = try row.get("created_at")
        dueAt = try row.find("due_at")
        firstStartedAt = try row.find("first_started_at")
        startedAt = try row.find("started_at")
        finishedAt = try row.find("finished_at")
        waitedSeconds = try row.find("waited_seconds")
        workedSeconds = try row.find("worked_seconds")
    }
}

/// An attempt that was not the job's doing, as the queue writes it down.
package struct JobInterruption: Sendable, Hashable, Codable {
    package let attempt: Int
    package let worker: String?
    /// Seconds of Unix time; nil of an attempt that began before this was written down.
    package let startedAt: Double?
    package let endedAt: Double
    package let outcome: String
    package let reason: String?
    /// Of snoozes in a row.
    package let count: Int

    private enum CodingKeys: String, CodingKey {
        case attempt, worker, outcome, reason, count
        case startedAt = "started_at"
        case endedAt = "ended_at"
    }
}
