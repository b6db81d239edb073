package import Domain
internal import FoundationEssentials
package import Postgres

/// Comparisons of the stores. One runs at a time: it is a job's, and over when that is.
package struct ConsistencyRunStore {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    /// So many are remembered.
    private static let keptCount = 100

    /// Makes those who begin one at the same moment take turns, until their transactions end.
    package func lock() throws(PostgresError) {
        try session.run("SELECT pg_advisory_xact_lock(hashtextextended('consistency_runs', 0))")
    }

    /// The one that is carried out now, or waits to be.
    package func findRunning() throws(PostgresError) -> ConsistencyRun? {
        try runs(
            """
            WHERE r.tenant_id = \(Tenant.only) AND r.state = 'running' AND EXISTS (
                SELECT FROM jobs j WHERE j.id = r.job_id AND j.state IN ('ready', 'running'))
            """
        ).first
    }

    package func findLatest() throws(PostgresError) -> ConsistencyRun? {
        try runs("WHERE r.tenant_id = \(Tenant.only) ORDER BY r.id DESC LIMIT 1").first
    }

    package func find(_ id: Int) throws(PostgresError) -> ConsistencyRun? {
        try runs("WHERE r.tenant_id = \(Tenant.only) AND r.id = \(id)").first
    }

    /// A new one, in place of one whose job is gone. The oldest are forgotten.
    package func insert(repairs: Bool) throws(PostgresError) -> Int {
        try session.run(
            """
            UPDATE consistency_runs SET state = 'failed', finished_at = now(),
                failure_code = 'abandoned', failure_message = 'Its job was cancelled.'
            WHERE tenant_id = \(Tenant.only) AND state = 'running'
            """)
        let rows = try session.run(
            """
            INSERT INTO consistency_runs (tenant_id, repairs, report)
            VALUES (\(Tenant.only), \(repairs), \(JSON(ConsistencyReport()))) RETURNING id
            """)
        guard let row = rows.first else { throw .undecodable(column: "id") }
        let id = try row.get("id", as: Int.self)
        try session.run(
            """
            DELETE FROM consistency_runs
            WHERE tenant_id = \(Tenant.only) AND id <= \(id - Self.keptCount)
            """)
        return id
    }

    package func setJob(_ id: Int, _ job: Int) throws(PostgresError) {
        try session.run("UPDATE consistency_runs SET job_id = \(job) WHERE id = \(id)")
    }

    package func setReport(_ id: Int, _ report: ConsistencyReport) throws(PostgresError) {
        try session.run(
            """
            UPDATE consistency_runs SET report = \(JSON(report))
            WHERE id = \(id) AND state = 'running'
            """)
    }

    package func setDone(_ id: Int, _ report: ConsistencyReport) throws(PostgresError) {
        try session.run(
            """
            UPDATE consistency_runs
            SET state = 'done', report = \(JSON(report)), finished_at = now()
            WHERE id = \(id) AND state = 'running'
            """)
    }

    package func setFailed(
        _ id: Int, _ failure: ConsistencyRun.Failure
    ) throws(PostgresError) {
        try session.run(
            """
            UPDATE consistency_runs SET state = 'failed', finished_at = now(),
                failure_code = \(failure.code), failure_message = \(failure.message)
            WHERE id = \(id) AND state = 'running'
            """)
    }

    private func runs(_ condition: SQL) throws(PostgresError) -> [ConsistencyRun] {
        let rows = try session.run(
            """
            SELECT r.id, r.state, r.repairs, r.report, r.failure_code, r.failure_message,
                   r.started_at, r.finished_at,
                   extract(epoch FROM clock_timestamp() - r.started_at)::float8 AS age
            FROM consistency_runs r \(sql: condition)
            """)
        var runs: [ConsistencyRun] = []
        for row in rows {
            var failure: ConsistencyRun.Failure?
            if let code = try row.find("failure_code", as: String.self) {
                failure = .init(code: code, message: try row.get("failure_message"))
            }
            runs.append(
                ConsistencyRun(
                    id: try row.get("id"), state: try row.get("state"),
                    repairs: try row.get("repairs"),
                    report: try row.get("report", as: JSON<ConsistencyReport>.self).value,
                    failure: failure, startedAt: try row.get("started_at"),
                    finishedAt: try row.find("finished_at"), ageSeconds: try row.get("age")))
        }
        return runs
    }
}
