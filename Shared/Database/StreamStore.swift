package import Domain
package import Postgres

/// The events of answers, kept as the bytes that viewers get.
///
/// While an answer is being made its replica adds what is new; whoever ends it puts one row with all
/// events in their place, in the transaction that ends the message.
package struct StreamStore {
    /// Notified with the ids of answers that have new events, separated by commas.
    package static let channel = "celine_streams"

    /// How long after its end a stream can be had.
    package static let keptSeconds = 600

    /// What an answer has beyond what is kept.
    package struct Piece: Sendable {
        package let message: Message.ID
        package let firstID: Int
        package let lastID: Int
        package let frames: String

        package init(message: Message.ID, firstID: Int, lastID: Int, frames: String) {
            self.message = message
            self.firstID = firstID
            self.lastID = lastID
            self.frames = frames
        }
    }

    package struct Row: Sendable {
        package let firstID: Int
        package let lastID: Int
        package let frames: String
        package let isFinal: Bool
    }

    /// What a reader may know of a stream.
    package struct State: Sendable, Hashable {
        /// Somebody is making the answer, or died doing so a moment ago.
        package let isRunning: Bool
        /// A source of the answer is gone, or no longer the reader's to see.
        package let isWithdrawn: Bool
        /// Whether it has ended and can still be had.
        package let isWhole: Bool
    }

    private let session: Session

    /// More names than a notification can carry are not named.
    private static let namedCountMax = 200

    package init(_ session: Session) { self.session = session }

    /// Adds what is new of some answers, all in one statement. Returns those it was kept of: not those
    /// that this replica does not make any more, nor those whose row somebody is ending right now: whoever
    /// ends one locks its row `FOR UPDATE`, which waits for this statement. A renewed lease does not, nor
    /// does this wait for it: they are many, and often.
    ///
    /// Not waited for to be on disk: what a crash of the database takes is in the row of the end again.
    package func add(
        _ pieces: [Piece], replica: String
    ) throws(PostgresError) -> Set<Message.ID> {
        let ids = pieces.map(\.message.rawValue)
        let rows = try session.run(
            """
            WITH ours AS (
                SELECT id FROM messages
                WHERE tenant_id = \(Tenant.only) AND id = ANY(\(ids)) AND replica = \(replica)
                  AND status = 'generating' FOR KEY SHARE SKIP LOCKED
            ), kept AS (
                INSERT INTO stream_frames (message_id, first_id, last_id, frames)
                SELECT piece.* FROM unnest(
                    \(ids), \(pieces.map(\.firstID)), \(pieces.map(\.lastID)),
                    \(pieces.map(\.frames))) AS piece (message_id, first_id, last_id, frames)
                JOIN ours ON ours.id = piece.message_id
                ON CONFLICT (tenant_id, message_id, first_id)
                    DO UPDATE SET last_id = excluded.last_id, frames = excluded.frames
                RETURNING message_id
            )
            SELECT array_agg(message_id) AS kept, set_config('synchronous_commit', 'off', true),
                   CASE WHEN count(*) > 0 THEN pg_notify(\(Self.channel),
                       CASE WHEN count(*) <= \(Self.namedCountMax)
                            THEN string_agg(message_id::text, ',') ELSE '' END) END
            FROM kept
            """)
        let kept: [Message.ID]? = try rows.first?.find("kept")
        return Set(kept ?? [])
    }

    /// Puts the whole stream, which has ended, in the place of its pieces. Nothing is kept when a source
    /// of the answer is gone by now.
    package func end(
        _ message: Message.ID, lastID: Int, frames: String, in transaction: Transaction
    ) throws(PostgresError) {
        try transaction.run(
            """
            DELETE FROM stream_frames
            WHERE tenant_id = \(Tenant.only) AND message_id = \(message)
            """)
        try transaction.run(
            """
            INSERT INTO stream_frames (message_id, first_id, last_id, frames, is_final)
            SELECT \(message), 1, \(lastID), \(frames), true
            WHERE NOT EXISTS (
                SELECT FROM message_sources s
                WHERE s.tenant_id = \(Tenant.only) AND s.message_id = \(message)
                  AND NOT EXISTS (
                      SELECT FROM documents d
                      WHERE d.tenant_id = s.tenant_id AND d.id = s.document_id
                        AND d.deleted_at IS NULL))
            """)
        try transaction.notify(Self.channel, message.description)
    }

    /// Nil when there is no such reply.
    ///
    /// - Parameter documents: what it is known to draw on beside what Postgres knows.
    package func state(
        of message: Message.ID, drawingOn documents: [Document.ID], for principal: Principal
    ) throws(PostgresError) -> State? {
        let row = try session.run(
            """
            SELECT m.status = 'generating' AS running,
                   EXISTS (
                       SELECT FROM (
                           SELECT s.document_id FROM message_sources s
                           WHERE s.tenant_id = m.tenant_id AND s.message_id = m.id
                           UNION ALL SELECT unnest(\(documents.map(\.rawValue)))
                       ) AS drawn_on (id)
                       WHERE NOT EXISTS (
                           SELECT FROM documents d
                           WHERE d.id = drawn_on.id
                             AND \(sql: Visibility.documents(for: principal)))) AS withdrawn,
                   EXISTS (
                       SELECT FROM stream_frames f
                       WHERE f.tenant_id = m.tenant_id AND f.message_id = m.id AND f.is_final
                         AND f.created_at >
                             now() - make_interval(secs => \(Double(Self.keptSeconds)))) AS whole
            FROM messages m
            JOIN conversations c ON c.tenant_id = m.tenant_id AND c.id = m.conversation_id
            WHERE m.tenant_id = \(principal.tenant) AND m.id = \(message)
              AND m.role = 'assistant' AND c.user_id = \(principal.user)
            """
        ).first
        guard let row else { return nil }
        return State(
            isRunning: try row.get("running"), isWithdrawn: try row.get("withdrawn"),
            isWhole: try row.get("whole"))
    }

    /// What holds events beyond one, oldest first.
    package func rows(
        of message: Message.ID, after id: Int, limit: Int = 100
    ) throws(PostgresError) -> [Row] {
        let found = try session.run(
            """
            SELECT first_id, last_id, frames, is_final FROM stream_frames
            WHERE tenant_id = \(Tenant.only) AND message_id = \(message) AND last_id > \(id)
            ORDER BY first_id LIMIT \(limit)
            """)
        var rows: [Row] = []
        for row in found {
            rows.append(
                Row(
                    firstID: try row.get("first_id"), lastID: try row.get("last_id"),
                    frames: try row.get("frames"), isFinal: try row.get("is_final")))
        }
        return rows
    }

    /// Of streams that can no longer be had, at most `limit` rows. Returns how many went.
    package func deleteExpired(limit: Int) throws(PostgresError) -> Int {
        try session.run(
            """
            DELETE FROM stream_frames WHERE ctid IN (
                SELECT ctid FROM stream_frames
                WHERE created_at < now() - make_interval(secs => \(Double(Self.keptSeconds + 60)))
                  AND (is_final OR created_at < now() - interval '1 hour')
                LIMIT \(limit) FOR UPDATE SKIP LOCKED)
            RETURNING message_id
            """
        ).count
    }
}
