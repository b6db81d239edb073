package import Domain
package import FoundationEssentials
package import Postgres

/// The queue in figures, for operators. What has ended is counted no further than a limit: a busy
/// queue's day has millions.
package struct QueueFiguresStore {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    /// Ended jobs that are looked at, newest first.
    package static let endedCountMax = 100_000
    /// A worker says every ten seconds that it is there.
    private static let workerSilenceSeconds = 30
    private static let workerCountMax = 200

    /// How many jobs of each kind are in each state. Done and cancelled ones are kept for a day.
    package func counts() throws(PostgresError) -> [JobCount] {
        let rows = try session.run(
            """
            SELECT kind, state, count(*) AS count FROM (
                SELECT kind, CASE WHEN cancelled_at IS NULL THEN state ELSE 'cancelling' END AS state
                FROM jobs WHERE state IN ('ready', 'running')
                UNION ALL
                SELECT kind, state FROM jobs WHERE state = 'dead'
                UNION ALL
                (SELECT kind, state FROM jobs WHERE state IN ('done', 'cancelled')
                 ORDER BY finished_at DESC LIMIT \(Self.endedCountMax))) counted
            GROUP BY kind, state ORDER BY kind, state
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

    /// Jobs done lately, by kind.
    package func throughput() throws(PostgresError) -> [JobThroughput] {
        let rows = try session.run(
            """
            SELECT kind, count(*) AS hour,
                   count(*) FILTER (WHERE finished_at > now() - interval '1 minute') AS minute
            FROM (
                SELECT kind, state, finished_at FROM jobs
                WHERE state IN ('done', 'cancelled') AND finished_at > now() - interval '1 hour'
                ORDER BY finished_at DESC LIMIT \(Self.endedCountMax)) ended
            WHERE state = 'done' GROUP BY kind ORDER BY kind
            """)
        var throughput: [JobThroughput] = []
        for row in rows {
            throughput.append(
                JobThroughput(
                    kind: try row.get("kind"), lastMinuteCount: try row.get("minute"),
                    lastHourCount: try row.get("hour")))
        }
        return throughput
    }

    /// Dead letters by kind and reason, the most frequent first, each with its newest ones.
    package func deadLetters(
        limit: Int, exampleCount: Int
    ) throws(PostgresError) -> [DeadLetterGroup] {
        let rows = try session.run(
            """
            SELECT kind, \(sql: DeadLetters.reasonGroup) AS reason, count(*) AS count,
                   min(finished_at) AS first_at, max(finished_at) AS last_at,
                   (array_agg(id ORDER BY id DESC))[1:\(exampleCount)::int] AS examples
            FROM jobs WHERE state = 'dead'
            GROUP BY 1, 2 ORDER BY count DESC, kind, 2 LIMIT \(limit)
            """)
        var groups: [DeadLetterGroup] = []
        for row in rows {
            groups.append(
                DeadLetterGroup(
                    kind: try row.get("kind"), reason: try row.get("reason"),
                    count: try row.get("count"), firstAt: try row.find("first_at"),
                    lastAt: try row.find("last_at"), examples: try row.get("examples")))
        }
        return groups
    }

    /// Workers that have said lately that they are there, by name.
    package func workers() throws(PostgresError) -> [JobWorkerOverview] {
        let rows = try session.run(
            """
            SELECT id::text AS id, name, kinds, heartbeat_at FROM job_workers
            WHERE heartbeat_at > now()
                - make_interval(secs => \(Self.workerSilenceSeconds)::double precision)
            ORDER BY name, id LIMIT \(Self.workerCountMax)
            """)
        var workers: [JobWorkerOverview] = []
        for row in rows {
            workers.append(
                JobWorkerOverview(
                    id: try row.get("id"), name: try row.get("name"),
                    kinds: try row.get("kinds"), heartbeatAt: try row.get("heartbeat_at")))
        }
        return workers
    }
}

package struct JobCount: Sendable, Hashable {
    package let kind: String
    package let state: JobState
    package let count: Int
}

package struct JobThroughput: Sendable, Hashable {
    package let kind: String
    package let lastMinuteCount: Int
    package let lastHourCount: Int
}

package struct DeadLetterGroup: Sendable, Hashable {
    package let kind: String
    package let reason: String
    package let count: Int
    package let firstAt: Date?
    package let lastAt: Date?
    /// Ids of the newest.
    package let examples: [Int]
}

package struct JobWorkerOverview: Sendable, Hashable {
    package let id: String
    package let name: String
    package let kinds: [String]
    package let heartbeatAt: Date
}
