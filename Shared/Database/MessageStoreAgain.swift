package import Domain
package import Postgres

/// Replies that are made anew: the one before stays until the new one is complete.
extension MessageStore {
    /// The newest question of a conversation, and the newest reply to it.
    package struct NewestTurn: Sendable {
        package let question: Message
        package let reply: Message
        package let showsSources: Bool
    }

    package func newestTurn(
        in conversation: Conversation.ID
    ) throws(PostgresError) -> NewestTurn? {
        let question = try newest(.user, in: conversation, after: 0)
        guard let question,
            let reply = try newest(.assistant, in: conversation, after: question.0.sequence)
        else { return nil }
        return NewestTurn(question: question.0, reply: reply.0, showsSources: reply.1)
    }

    private func newest(
        _ role: Message.Role, in conversation: Conversation.ID, after sequence: Int
    ) throws(PostgresError) -> (Message, Bool)? {
        let row = try session.run(
            """
            SELECT \(sql: Self.columns), m.shows_sources FROM messages m
            WHERE m.tenant_id = \(Tenant.only) AND m.conversation_id = \(conversation)
              AND m.role = \(role) AND m.sequence > \(sequence)
            ORDER BY m.sequence DESC LIMIT 1
            """
        ).first
        guard let row else { return nil }
        return (try Self.message(row), try row.get("shows_sources"))
    }

    /// One more reply to a question, leased to `replica`.
    package func beginAgain(
        _ turn: Turn, insteadOf old: Message.ID, replica: String, leaseSeconds: Int
    ) throws(PostgresError) {
        let rows = try session.run(
            """
            INSERT INTO messages (tenant_id, id, conversation_id, role, content, status, replica,
                                  lease_expires_at, attempt, shows_sources, replaces)
            VALUES (\(Tenant.only), \(turn.reply), \(turn.conversation), 'assistant', '',
                    'generating', \(replica), now() + make_interval(secs => \(Double(leaseSeconds))),
                    1, \(turn.showsSources), \(old))
            RETURNING sequence
            """)
        let sequence: Int = try rows.first?.get("sequence") ?? 0
        try session.run(
            """
            UPDATE conversations
            SET last_sequence = \(sequence), last_message_at = now(),
                message_count = message_count + 1
            WHERE tenant_id = \(Tenant.only) AND id = \(turn.conversation)
            """)
    }

    /// Removes what a reply was made instead of, and what that was made instead of.
    func removeReplaced(
        by reply: Message.ID, in conversation: Conversation.ID
    ) throws(PostgresError) {
        try session.run(
            """
            WITH RECURSIVE old AS (
                SELECT m.replaces AS id FROM messages m
                WHERE m.tenant_id = \(Tenant.only) AND m.id = \(reply) AND m.replaces IS NOT NULL
                UNION
                SELECT m.replaces FROM messages m JOIN old ON m.id = old.id
                WHERE m.tenant_id = \(Tenant.only) AND m.replaces IS NOT NULL
            ), gone AS (
                DELETE FROM messages
                WHERE tenant_id = \(Tenant.only) AND id IN (SELECT id FROM old) RETURNING id
            )
            UPDATE conversations SET message_count = message_count - (SELECT count(*) FROM gone)
            WHERE tenant_id = \(Tenant.only) AND id = \(conversation)
              AND EXISTS (SELECT FROM gone)
            """)
    }
}
