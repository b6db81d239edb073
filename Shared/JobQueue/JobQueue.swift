import FoundationEssentials
package import Postgres

/// The number of a job.
package struct JobID: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible,
    PostgresValue
{
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }
    package var description: String { String(rawValue) }
}

/// What goes first. Within a priority the owners take turns.
package enum JobPriority: Int, Sendable {
    case erase = 0
    case upload = 1
    case training = 2
    case bulk = 3
}

/// Work to be done later, kept in Postgres so that it commits with the change that asked for it.
package struct JobQueue: Sendable {
    package static let channel = "celine_jobs"

    package init() {}

    /// Fair queueing by start-time tags (Goyal, Vin and Cheng, 1996): an owner's next job begins at
    /// the queue's clock or after the owner's last one, whichever is later. So one owner's thousand
    /// jobs stand behind another's single one.
    ///
    /// - Parameter subject: what it is about, for finding and cancelling it.
    @discardableResult
    package func enqueue(
        _ kind: String, _ payload: some Encodable & Sendable, subject: String, owner: String = "",
        priority: JobPriority = .upload, cost: Int = 1, in transaction: Transaction
    ) throws -> JobID {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let json = String(decoding: try encoder.encode(payload), as: UTF8.self)
        let clock = "\(priority.rawValue)/\(owner)"
        let rows = try transaction.run(
            """
            WITH turn AS (
                INSERT INTO job_clocks AS c (owner_key, tag)
                VALUES (\(clock), \(cost) + coalesce(
                    (SELECT tag FROM job_clocks WHERE owner_key = \(Self.queueClock(priority))), 0))
                ON CONFLICT (owner_key) DO UPDATE SET tag = \(cost) + greatest(c.tag, coalesce(
                    (SELECT tag FROM job_clocks WHERE owner_key = \(Self.queueClock(priority))), 0))
                RETURNING tag)
            INSERT INTO jobs (kind, payload, subject, owner_key, priority, tag, cost)
            SELECT \(kind), \(json)::text::jsonb, \(subject), \(owner),
                   \(priority.rawValue)::bigint::smallint, turn.tag, \(cost)::bigint::int FROM turn
            RETURNING id
            """)
        guard let row = rows.first else { throw PostgresError.undecodable(column: "id") }
        try transaction.notify(Self.channel, kind)
        return try row.get("id")
    }

    /// Takes back what is about `subject`. A job that runs is fenced: whatever it goes on to do, it
    /// can no longer finish.
    package func cancel(subject: String, in transaction: Transaction) throws(PostgresError) {
        try transaction.run(
            """
            UPDATE jobs SET state = 'cancelled', attempt = attempt + 1, finished_at = now()
            WHERE subject = \(subject) AND state IN ('ready', 'running')
            """)
    }

    static func queueClock(_ priority: JobPriority) -> String { "*\(priority.rawValue)" }
}
