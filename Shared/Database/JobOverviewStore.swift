package import FoundationEssentials
package import Postgres

/// The queue as operators see it. Claiming and finishing are JobQueue's.
package struct JobOverviewStore {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    /// How many jobs of each kind are in each state.
    package func counts() throws(PostgresError) -> [JobCount] {
        let rows = try session.run(
            """
            SELECT kind, state, count(*) AS count FROM jobs GROUP BY kind, state
            ORDER BY kind, state
            """)
        var counts: [JobCount] = []
        for row in rows {
            counts.append(
                JobCount(
                    kind: try row.get("kind"), state: try row.get("state"),
                    count: try row.get("count")))
        }
        return counts
    }

    /// The one that has been ready longest, not counting those that are to run later.
    package func findOldestWaiting() throws(PostgresError) -> JobOverview? {
        try jobs("WHERE state = 'ready' AND claimable_at <= now() ORDER BY created_at, id LIMIT 1")
            .first
    }

    /// Dead letters, newest first.
    package func listDead(limit: Int) throws(PostgresError) -> [JobOverview] {
        try jobs("WHERE state = 'dead' ORDER BY id DESC LIMIT \(limit)")
    }

    package func find(_ id: Int) throws(PostgresError) -> JobOverview? {
        try jobs("WHERE id = \(id)").first
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
            ORDER BY id DESC LIMIT 1
            """
        ).first
    }

    private func jobs(_ condition: SQL) throws(PostgresError) -> [JobOverview] {
        let rows = try session.run(
            """
            SELECT id, kind, subject, state, attempt, failure_count, reason, created_at,
                   finished_at
            FROM jobs \(sql: condition)
            """)
        var jobs: [JobOverview] = []
        for row in rows {
            jobs.append(
                JobOverview(
                    id: try row.get("id"), kind: try row.get("kind"),
                    subject: try row.get("subject"), state: try row.get("state"),
                    attemptCount: try row.get("attempt"),
                    failureCount: try row.get("failure_count"), reason: try row.find("reason"),
                    createdAt: try row.get("created_at"),
                    finishedAt: try row.find("finished_at")))
        }
        return jobs
    }
}

package struct JobCount: Sendable, Hashable {
    package let kind: String
    package let state: String
    package let count: Int
}

package struct JobOverview: Sendable, Hashable {
    package let id: Int
    package let kind: String
    package let subject: String
    package let state: String
    package let attemptCount: Int
    package let failureCount: Int
    /// Why it failed last, for operators.
    package let reason: String?
    package let createdAt: Date
    package let finishedAt: Date?

    /// Nothing further happens by itself.
    package var isEnd: Bool { state != "ready" && state != "running" }
}
