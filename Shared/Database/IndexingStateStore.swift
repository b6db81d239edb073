package import Domain
package import Postgres

/// Where the indexing of uploads is, by the queue's own record.
package struct IndexingStateStore {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    /// Positions further back than this are not counted.
    private static let positionMax = 1000
    /// A worker says every ten seconds that it is there.
    private static let workerSilenceSeconds = 30
    /// A batch of a slow model, or a page that is hard to recognise, takes a minute.
    private static let noProgressSeconds = 300

    /// The same attachments, with where those are that have not ended. One that ends while this is
    /// read is told as it is then.
    package func told(
        _ attachments: [Attachment]
    ) throws(PostgresError) -> [(attachment: Attachment, state: IndexingState?)] {
        let states = try states(of: attachments.filter { !$0.status.isEnd }.map(\.id))
        var told: [(attachment: Attachment, state: IndexingState?)] = []
        for attachment in attachments {
            let state = states[attachment.id]
            let hasEnded = !attachment.status.isEnd && state == nil
            let latest = hasEnded ? try AttachmentStore(session).find(attachment.id) : nil
            told.append((latest ?? attachment, state))
        }
        return told
    }

    /// Of several jobs about one the last is told, or the one that a worker holds.
    private func states(
        of open: [Attachment.ID]
    ) throws(PostgresError) -> [Attachment.ID: IndexingState] {
        if open.isEmpty { return [:] }
        let subjects = open.map(\.description)
        let rows = try session.run(
            """
            WITH line AS MATERIALIZED (
                SELECT id, row_number() OVER (ORDER BY priority, tag, id) AS position FROM (
                    SELECT id, priority, tag FROM jobs
                    WHERE state = 'ready' AND claimable_at <= now()
                      AND EXISTS (
                          SELECT FROM jobs asked
                          WHERE asked.subject = ANY(\(subjects)::text[])
                            AND asked.state = 'ready')
                    ORDER BY priority, tag, id LIMIT \(Self.positionMax)) waiting)
            SELECT j.subject, j.state, j.failure_count, j.reason, round(j.progress::numeric, 3)::float8 AS progress, line.position,
                extract(epoch FROM now() - j.claimable_at)::float8 AS due_seconds,
                coalesce(extract(epoch FROM now() - j.progressed_at), 0)::float8
                    AS silent_seconds,
                EXISTS (
                    SELECT FROM job_workers w
                    WHERE j.kind = ANY(w.kinds) AND w.heartbeat_at > now()
                        - make_interval(secs => \(Self.workerSilenceSeconds)::double precision))
                OR EXISTS (SELECT FROM jobs r WHERE r.state = 'running' AND r.claimable_at > now())
                    AS has_worker
            FROM jobs j LEFT JOIN line ON line.id = j.id
            WHERE j.subject = ANY(\(subjects)::text[])
              AND j.kind = \(IndexAttachmentJob.kind) AND j.state IN ('ready', 'running')
            ORDER BY j.state = 'running' AND j.claimable_at > now(), j.id
            """)
        var states: [Attachment.ID: IndexingState] = [:]
        for row in rows {
            guard let id = Attachment.ID(try row.get("subject", as: String.self)) else { continue }
            states[id] = try state(row)
        }
        return states
    }

    private func state(_ row: Row) throws(PostgresError) -> IndexingState {
        let progress = try row.get("progress", as: Double.self)
        let dueSeconds = try row.get("due_seconds", as: Double.self)
        // While a job runs, it falls due when its lease ends.
        let isHeld = try row.get("state", as: String.self) == "running" && dueSeconds < 0
        if isHeld {
            let silence = try row.get("silent_seconds", as: Double.self)
            let isSilent = silence > Double(Self.noProgressSeconds)
            return IndexingState(
                stage: isSilent ? .stuck : .processing, obstacle: isSilent ? .noProgress : nil,
                progress: progress)
        }
        if let reason = try row.find("reason", as: String.self) {
            return IndexingState(
                stage: .stuck, obstacle: reason == "waiting" ? .dependencyAway : .retrying,
                progress: progress)
        }
        let hasWorker = try row.get("has_worker", as: Bool.self)
        let isStarved = !hasWorker && dueSeconds > Double(Self.workerSilenceSeconds)
        return IndexingState(
            stage: isStarved ? .starved : .queued, position: try row.find("position"),
            progress: progress)
    }
}
