package import Domain
package import Postgres

/// What was said in a conversation before the turns that still fit into a prompt.
package struct ConversationSummary: Sendable, Hashable {
    package let text: String
    /// Of the last message it tells of.
    package let throughSequence: Int
    /// The replies it was made from, and theirs: what they drew on, it may repeat.
    package let drawnFrom: [Message.ID]

    package init(text: String, throughSequence: Int, drawnFrom: [Message.ID]) {
        self.text = text
        self.throughSequence = throughSequence
        self.drawnFrom = drawnFrom
    }
}

package struct SummaryStore {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    /// Nil as well when something that it was made from is gone: then it must not be shown to a model.
    package func find(
        of conversation: Conversation.ID, for principal: Principal
    ) throws(PostgresError) -> ConversationSummary? {
        let row = try session.run(
            """
            SELECT s.text, s.through_sequence, s.drawn_from FROM conversation_summaries s
            JOIN conversations c ON c.tenant_id = s.tenant_id AND c.id = s.conversation_id
            WHERE s.tenant_id = \(principal.tenant) AND s.conversation_id = \(conversation)
              AND c.user_id = \(principal.user)
            """
        ).first
        guard let row else { return nil }
        let summary = ConversationSummary(
            text: try row.get("text"), throughSequence: try row.get("through_sequence"),
            drawnFrom: try row.get("drawn_from"))
        let messages = MessageStore(session)
        return try messages.tainted(among: summary.drawnFrom, for: principal).isEmpty
            ? summary : nil
    }

    /// In the place of the one before, which may not be shown any more when it is nil. Nothing happens
    /// when another one was made meanwhile that reaches further.
    package func set(
        _ summary: ConversationSummary, insteadOf before: ConversationSummary?,
        of conversation: Conversation.ID
    ) throws(PostgresError) {
        try session.run(
            """
            INSERT INTO conversation_summaries
                (conversation_id, text, through_sequence, drawn_from)
            SELECT id, \(summary.text), \(summary.throughSequence),
                   \(summary.drawnFrom.map(\.rawValue))
            FROM conversations WHERE tenant_id = \(Tenant.only) AND id = \(conversation)
            ON CONFLICT (tenant_id, conversation_id) DO UPDATE
            SET text = excluded.text, through_sequence = excluded.through_sequence,
                drawn_from = excluded.drawn_from, created_at = now()
            WHERE \(before == nil)
               OR conversation_summaries.through_sequence < excluded.through_sequence
            """)
    }
}
