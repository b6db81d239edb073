package import Domain
package import Postgres

/// Replies whose replica died, which another one ends.
extension MessageStore {
    /// A reply that was being made by a replica that is dead, now ours to end.
    package struct Abandoned: Sendable {
        package let id: Message.ID
        package let conversation: Conversation.ID
        package let title: String
        /// Which maker of the reply we are: 2 for the first that takes it over.
        package let attempt: Int
        package let drawnFrom: [Message.ID]
        /// Its sources by their place in the prompt. What is gone is not here.
        package let sources: [Int: Chunk]
    }

    /// Keeps what a reply draws on while it is being made, so that whoever takes it over, and whoever
    /// deletes a document meanwhile, knows. False when somebody is changing the reply right now, which is
    /// not waited for, or it is not this replica's any more.
    package func remember(
        _ sources: [FinishedReply.Source], drawnFrom: [Message.ID], of reply: Message.ID,
        replica: String
    ) throws(PostgresError) -> Bool {
        let sources = Array(sources.enumerated())
        let row = try session.run(
            """
            WITH ours AS (
                UPDATE messages SET drawn_from = \(drawnFrom.map(\.rawValue))
                WHERE tenant_id = \(Tenant.only) AND id IN (
                    SELECT id FROM messages
                    WHERE tenant_id = \(Tenant.only) AND id = \(reply) AND replica = \(replica)
                      AND status = 'generating' FOR NO KEY UPDATE SKIP LOCKED)
                RETURNING id
            ), kept AS (
                INSERT INTO message_sources (tenant_id, message_id, source_index, chunk_id,
                                             chunk_count, document_id, score)
                SELECT \(Tenant.only), ours.id, source.* FROM ours, unnest(
                    \(sources.map(\.offset)), \(sources.map(\.element.chunk.rawValue)),
                    \(sources.map(\.element.chunkCount)),
                    \(sources.map(\.element.document.rawValue)), \(sources.map(\.element.score))
                ) AS source (source_index, chunk_id, chunk_count, document_id, score)
                ON CONFLICT DO NOTHING
            )
            SELECT set_config('synchronous_commit', 'off', true),
                   EXISTS (SELECT FROM ours) AS remembered
            """
        ).first
        return try row?.get("remembered") ?? false
    }

    /// Replies whose lease has ended, longest ago first.
    package func abandoned(limit: Int) throws(PostgresError) -> [Message.ID] {
        let rows = try session.run(
            """
            SELECT id FROM messages WHERE status = 'generating' AND lease_expires_at < now()
            ORDER BY lease_expires_at LIMIT \(limit)
            """)
        var ids: [Message.ID] = []
        for row in rows { ids.append(try row.get("id")) }
        return ids
    }

    /// Makes a reply ours whose lease has ended. Nil when it is being made after all, has ended, or
    /// somebody else was faster.
    package func takeOver(
        _ reply: Message.ID, replica: String, leaseSeconds: Int
    ) throws(PostgresError) -> Abandoned? {
        let row = try session.run(
            """
            UPDATE messages m
            SET replica = \(replica), attempt = m.attempt + 1,
                lease_expires_at = now() + make_interval(secs => \(Double(leaseSeconds)))
            FROM conversations c
            WHERE m.tenant_id = \(Tenant.only) AND m.id IN (
                SELECT id FROM messages
                WHERE tenant_id = \(Tenant.only) AND id = \(reply) AND status = 'generating'
                  AND lease_expires_at < now() FOR UPDATE SKIP LOCKED)
              AND c.tenant_id = m.tenant_id AND c.id = m.conversation_id
            RETURNING m.attempt, m.drawn_from, c.id AS conversation, c.title
            """
        ).first
        guard let row else { return nil }
        return Abandoned(
            id: reply, conversation: try row.get("conversation"), title: try row.get("title"),
            attempt: try row.get("attempt"), drawnFrom: try row.get("drawn_from"),
            sources: try sources(of: reply))
    }

    private func sources(of reply: Message.ID) throws(PostgresError) -> [Int: Chunk] {
        let rows = try session.run(
            """
            SELECT k.*, s.source_index FROM message_sources s
            JOIN chunks first ON first.tenant_id = s.tenant_id AND first.id = s.chunk_id
            JOIN chunks k ON k.tenant_id = s.tenant_id AND k.revision_id = first.revision_id
              AND k.ordinal >= first.ordinal AND k.ordinal < first.ordinal + s.chunk_count
            WHERE s.tenant_id = \(Tenant.only) AND s.message_id = \(reply)
            ORDER BY s.source_index, k.ordinal
            """)
        var parts: [Int: [Chunk]] = [:]
        for row in rows {
            parts[try row.get("source_index"), default: []].append(try Chunk(row))
        }
        return parts.compactMapValues(Chunk.joined)
    }
}
