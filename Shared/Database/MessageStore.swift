package import Domain
package import Postgres

/// The turns of conversations, and who is making the reply that is being made.
package struct MessageStore {
    /// Notified with the id of a conversation when a reply of it is no longer being made.
    package static let turnsChannel = "celine_turns"
    /// Notified with the id of a reply that is to stop.
    package static let cancellationsChannel = "celine_cancellations"

    /// A question and the reply to it, begun together.
    package struct Turn: Sendable {
        package let conversation: Conversation.ID
        package let question: Message.ID
        package let reply: Message.ID
        package let text: String
        package let attachments: [Attachment.ID]
        package let showsSources: Bool

        package init(
            conversation: Conversation.ID, question: Message.ID, reply: Message.ID, text: String,
            attachments: [Attachment.ID], showsSources: Bool
        ) {
            self.conversation = conversation
            self.question = question
            self.reply = reply
            self.text = text
            self.attachments = attachments
            self.showsSources = showsSources
        }
    }

    let session: Session

    package init(_ session: Session) { self.session = session }

    /// Stores the question and the empty reply, the latter leased to `replica`.
    package func begin(
        _ turn: Turn, replica: String, leaseSeconds: Int, for principal: Principal
    ) throws(PostgresError) {
        // In one statement: each is a way to the database and back, and somebody waits.
        try session.run(
            """
            WITH begun AS (
                INSERT INTO messages (tenant_id, id, conversation_id, role, content, status, replica,
                                      lease_expires_at, attempt, shows_sources)
                VALUES (\(principal.tenant), \(turn.question), \(turn.conversation), 'user',
                        \(turn.text), 'complete', NULL, NULL, 0, true),
                       (\(principal.tenant), \(turn.reply), \(turn.conversation), 'assistant', '',
                        'generating', \(replica),
                        now() + make_interval(secs => \(Double(leaseSeconds))), 1,
                        \(turn.showsSources))
                RETURNING sequence
            ), counted AS (
                INSERT INTO token_usage (tenant_id, user_id, day, question_count)
                VALUES (\(principal.tenant), \(principal.user),
                        (now() AT TIME ZONE 'UTC')::date, 1)
                ON CONFLICT (tenant_id, user_id, day)
                    DO UPDATE SET question_count = token_usage.question_count + 1
            )
            UPDATE conversations
            SET last_sequence = (SELECT max(sequence) FROM begun), last_message_at = now(),
                message_count = message_count + 2
            WHERE tenant_id = \(principal.tenant) AND id = \(turn.conversation)
            """)
        for (ordinal, attachment) in turn.attachments.enumerated() {
            try session.run(
                """
                INSERT INTO message_attachments (tenant_id, message_id, attachment_id, ordinal)
                VALUES (\(principal.tenant), \(turn.question), \(attachment), \(ordinal))
                """)
        }
    }

    /// How many replies of a conversation are being made, or wait for their turn, by a live replica.
    package func generatingCount(
        in conversation: Conversation.ID
    ) throws(PostgresError) -> Int {
        try session.run(
            """
            SELECT count(*) AS total FROM messages
            WHERE tenant_id = \(Tenant.only) AND conversation_id = \(conversation)
              AND status = 'generating' AND lease_expires_at > now()
            """
        ).first?.get("total") ?? 0
    }

    /// Whether no earlier reply of its conversation is still being made.
    package func isFirstInTurn(_ reply: Message.ID) throws(PostgresError) -> Bool {
        try session.run(
            """
            SELECT FROM messages mine
            JOIN messages other ON other.tenant_id = mine.tenant_id
              AND other.conversation_id = mine.conversation_id AND other.sequence < mine.sequence
            WHERE mine.tenant_id = \(Tenant.only) AND mine.id = \(reply)
              AND other.status = 'generating' AND other.lease_expires_at > now()
            LIMIT 1
            """
        ).isEmpty
    }

    /// Renews what is still ours, and says which of it is to stop. What is not in the answer is gone.
    ///
    /// A row that somebody is changing right now is not waited for: one that is slow to be deleted must not
    /// cost all others their leases. It is renewed with the next beat.
    package func renewLeases(
        of replies: [Message.ID], replica: String, leaseSeconds: Int
    ) throws(PostgresError) -> [Message.ID: Bool] {
        try session.run(
            """
            UPDATE messages
            SET lease_expires_at = now() + make_interval(secs => \(Double(leaseSeconds)))
            WHERE tenant_id = \(Tenant.only) AND id = ANY(ARRAY(
                SELECT id FROM messages
                WHERE tenant_id = \(Tenant.only) AND id = ANY(\(replies.map(\.rawValue)))
                  AND replica = \(replica) AND status = 'generating'
                FOR NO KEY UPDATE SKIP LOCKED))
            """)
        let rows = try session.run(
            """
            SELECT id, cancel_requested FROM messages
            WHERE tenant_id = \(Tenant.only) AND id = ANY(\(replies.map(\.rawValue)))
              AND replica = \(replica) AND status = 'generating'
            """)
        var isCancelled: [Message.ID: Bool] = [:]
        for row in rows { isCancelled[try row.get("id")] = try row.get("cancel_requested") }
        return isCancelled
    }

    /// Asks whoever makes a reply to stop. Its status before: nil when there is no such reply.
    package func requestCancel(
        _ reply: Message.ID, for principal: Principal, in transaction: Transaction
    ) throws(PostgresError) -> Message.Status? {
        guard let message = try find(reply, for: principal), message.role == .assistant else {
            return nil
        }
        if message.status == .generating {
            try transaction.run(
                """
                UPDATE messages SET cancel_requested = true
                WHERE tenant_id = \(principal.tenant) AND id = \(reply) AND status = 'generating'
                """)
            try transaction.notify(Self.cancellationsChannel, reply.description)
        }
        return message.status
    }

    /// The replies of a conversation that are being made.
    package func generating(
        in conversation: Conversation.ID
    ) throws(PostgresError) -> [Message.ID] {
        let rows = try session.run(
            """
            SELECT id FROM messages
            WHERE tenant_id = \(Tenant.only) AND conversation_id = \(conversation)
              AND status = 'generating'
            """)
        var ids: [Message.ID] = []
        for row in rows { ids.append(try row.get("id")) }
        return ids
    }

    package func find(
        _ id: Message.ID, for principal: Principal
    ) throws(PostgresError) -> Message? {
        let rows = try session.run(
            """
            SELECT \(sql: Self.columns) FROM messages m
            JOIN conversations c ON c.tenant_id = m.tenant_id AND c.id = m.conversation_id
            WHERE m.tenant_id = \(principal.tenant) AND m.id = \(id)
              AND c.user_id = \(principal.user)
            """)
        return try rows.first.map(Self.message)
    }

    /// The newest `limit` before a sequence, oldest of those first.
    package func list(
        in conversation: Conversation.ID, before sequence: Int?, limit: Int
    ) throws(PostgresError) -> [Message] {
        let rows = try session.run(
            """
            SELECT \(sql: Self.columns) FROM messages m
            WHERE m.tenant_id = \(Tenant.only) AND m.conversation_id = \(conversation)
              AND m.sequence < \(sequence ?? Int.max)
            ORDER BY m.sequence DESC LIMIT \(limit)
            """)
        var messages: [Message] = []
        for row in rows.reversed() { messages.append(try Self.message(row)) }
        return messages
    }

    /// The oldest `limit` after a sequence.
    package func list(
        in conversation: Conversation.ID, after sequence: Int, limit: Int
    ) throws(PostgresError) -> [Message] {
        let rows = try session.run(
            """
            SELECT \(sql: Self.columns) FROM messages m
            WHERE m.tenant_id = \(Tenant.only) AND m.conversation_id = \(conversation)
              AND m.sequence > \(sequence)
            ORDER BY m.sequence LIMIT \(limit)
            """)
        var messages: [Message] = []
        for row in rows { messages.append(try Self.message(row)) }
        return messages
    }

    /// A reply whose replica stopped renewing its lease reads as what it is: incomplete.
    static let columns: SQL = """
        m.id, m.conversation_id, m.role, m.content, m.created_at, m.sequence,
        CASE WHEN m.status = 'generating' AND m.lease_expires_at <= now() THEN 'incomplete'
             ELSE m.status END AS status,
        CASE WHEN m.status = 'generating' AND m.lease_expires_at <= now() THEN 'error'
             ELSE m.finish_reason END AS finish_reason
        """

    static func message(_ row: Row) throws(PostgresError) -> Message {
        Message(
            id: try row.get("id"), conversationID: try row.get("conversation_id"),
            role: try row.get("role"), content: try row.get("content"),
            status: try row.get("status"), finishReason: try row.find("finish_reason"),
            createdAt: try row.get("created_at"), sequence: try row.get("sequence"))
    }
}
