internal import FoundationEssentials
package import Postgres

/// Work to be done later, kept in Postgres so that it commits with the change that asked for it.
package struct JobQueue: Sendable {
    /// The notification that a job may be claimable. Its payload is the kind.
    package static let channel = "celine_jobs"
    /// The payload that says that a running job was cancelled, and is no kind.
    static let cancellation = "cancelled"
    /// Why a job ended that an operator has cancelled.
    package static let cancelledReason = "cancelled: an operator ended it"

    package init() {}

    /// `transaction` is not optional: a job that outlives a rolled-back change is a bug.
    ///
    /// - Parameters:
    ///   - subject: what it is about, for finding and cancelling: a document's id.
    ///   - owner: whose turn it uses up; the empty one is everybody's.
    ///   - cost: how much of a turn, against the owner's other jobs.
    @discardableResult
    package func enqueue(
        _ kind: String, _ payload: some Encodable & Sendable, subject: String, owner: String = "",
        priority: JobPriority = .upload, cost: Int = 1, in transaction: Transaction
    ) throws -> JobID {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let text = String(decoding: try encoder.encode(payload), as: UTF8.self)
        let rows = try transaction.run(
            """
            INSERT INTO jobs (kind, payload, subject, owner_key, priority, cost, tag)
            SELECT \(kind), \(text)::jsonb, \(subject), \(owner), \(priority.rawValue), \(cost),
                   greatest(
                       (SELECT tag FROM job_clocks WHERE name = 'queue'),
                       (SELECT max(tag) FROM jobs
                        WHERE owner_key = \(owner) AND state IN ('ready', 'running'))) + \(cost)
            RETURNING id
            """)
        guard let row = rows.first else { throw PostgresError.undecodable(column: "id") }
        try transaction.notify(Self.channel, kind)
        return JobID(rawValue: try row.get("id"))
    }

    /// No job about the subject runs or is finished from the transaction's commit on.
    package func cancel(subject: String, in transaction: Transaction) throws {
        try cancel(subjects: [subject], in: transaction)
    }

    /// The same for several.
    package func cancel(subjects: [String], in transaction: Transaction) throws {
        // The attempt rises so that whoever runs it now can neither finish nor renew it.
        try transaction.run(
            """
            UPDATE jobs SET state = 'cancelled', worker = NULL, finished_at = now(),
                attempt = attempt + CASE state WHEN 'running' THEN 1 ELSE 0 END
            WHERE subject = ANY(\(subjects)::text[]) AND state IN ('ready', 'running')
            """)
    }

    /// Has an open job ended in place of being done: by whoever holds it, who can finish nothing from
    /// the commit on, or else by whoever claims it next, and that goes before everything. False when it
    /// is over, or is being ended so already.
    ///
    /// While somebody holds it, it stays running until then, or its lease's end: an erasure waits for
    /// what its holder may still be writing.
    package func requestCancel(of id: JobID, in transaction: Transaction) throws -> Bool {
        let rows = try transaction.run(
            """
            UPDATE jobs SET cancelled_at = now(), priority = 0, tag = 0,
                attempt = attempt + CASE state WHEN 'running' THEN 1 ELSE 0 END,
                attempts = CASE state
                    WHEN 'running' THEN with_attempt(jobs, 'cancelled', NULL) ELSE attempts END,
                claimable_at = CASE state WHEN 'running' THEN claimable_at ELSE now() END
            WHERE id = \(id.rawValue) AND state IN ('ready', 'running') AND cancelled_at IS NULL
            RETURNING kind, state
            """)
        guard let row = rows.first else { return false }
        let isHeld = try row.get("state", as: String.self) == "running"
        try transaction.notify(
            Self.channel, isHeld ? Self.cancellation : try row.get("kind"))
        return true
    }

    /// The same for those of a kind whose payload holds these fields, the dead ones too: nobody need
    /// look at them any more.
    package func cancel(
        _ kind: String, where fields: some Codable & Sendable, in transaction: Transaction
    ) throws {
        try transaction.run(
            """
            UPDATE jobs SET state = 'cancelled', worker = NULL, finished_at = now(),
                attempt = attempt + CASE state WHEN 'running' THEN 1 ELSE 0 END
            WHERE kind = \(kind) AND payload @> \(JSON(fields))
              AND state IN ('ready', 'running', 'dead')
            """)
    }

    /// Has a job that waits for its time done now.
    package func hasten(subject: String, in transaction: Transaction) throws {
        let rows = try transaction.run(
            """
            UPDATE jobs SET claimable_at = now() WHERE subject = \(subject) AND state = 'ready'
            RETURNING kind
            """)
        for row in rows { try transaction.notify(Self.channel, try row.get("kind")) }
    }

    /// Removes every trace of an owner's jobs. Whoever runs one of them can neither finish nor renew
    /// it.
    package func forget(owner: String, in transaction: Transaction) throws {
        try transaction.run("DELETE FROM jobs WHERE owner_key = \(owner)")
    }

    /// A dead job begins anew. False when it is not dead.
    package func retry(_ id: JobID, in transaction: Transaction) throws -> Bool {
        let rows = try transaction.run(
            """
            UPDATE jobs SET state = 'ready', failure_count = 0, reason = NULL, finished_at = NULL,
                cancelled_at = NULL, claimable_at = now()
            WHERE id = \(id.rawValue) AND state = 'dead' RETURNING kind
            """)
        guard let row = rows.first else { return false }
        try transaction.notify(Self.channel, try row.get("kind"))
        return true
    }

    /// Removes jobs that ended well more than a day ago, a bounded number at a time. Dead ones stay.
    package func prune(_ session: Session) throws {
        try session.run(
            """
            DELETE FROM jobs WHERE id IN (
                SELECT id FROM jobs
                WHERE state IN ('done', 'cancelled') AND finished_at < now() - interval '1 day'
                ORDER BY finished_at LIMIT 5000 FOR UPDATE SKIP LOCKED)
            """)
    }
}

package struct JobID: RawRepresentable, Hashable, Sendable, Codable,
    CustomStringConvertible
{
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }
    package var description: String { String(rawValue) }
}

/// What goes first. Within one priority owners take turns; what waits very long goes first anyway.
package enum JobPriority: Int, Sendable, CaseIterable {
    case erase = 0
    case upload = 1
    case training = 2
    case bulk = 3
}
