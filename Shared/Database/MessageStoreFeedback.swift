package import Domain
package import Postgres

extension MessageStore {
    /// Instead of what was thought of it before. False when there is no such reply.
    package func setFeedback(
        _ feedback: MessageFeedback, of reply: Message.ID, for principal: Principal
    ) throws(PostgresError) -> Bool {
        let rows = try session.run(
            """
            INSERT INTO message_feedback (tenant_id, message_id, rating, comment)
            SELECT m.tenant_id, m.id, \(feedback.rating.rawValue)::smallint, \(feedback.comment)
            FROM messages m
            JOIN conversations c ON c.tenant_id = m.tenant_id AND c.id = m.conversation_id
            WHERE m.tenant_id = \(principal.tenant) AND m.id = \(reply) AND m.role = 'assistant'
              AND c.user_id = \(principal.user)
            ON CONFLICT (tenant_id, message_id) DO UPDATE SET
                rating = excluded.rating, comment = excluded.comment, created_at = now()
            RETURNING message_id
            """)
        return !rows.isEmpty
    }

    func readFeedback(
        of ids: SQL, into references: inout [Message.ID: MessageReferences]
    ) throws(PostgresError) {
        let rows = try session.run(
            """
            SELECT message_id, rating, comment FROM message_feedback
            WHERE tenant_id = \(Tenant.only) AND message_id = ANY(\(sql: ids))
            """)
        for row in rows {
            let rating = try row.get("rating", as: Int.self)
            let feedback = MessageFeedback(
                rating: rating > 0 ? .good : .bad, comment: try row.find("comment"))
            references[try row.get("message_id"), default: MessageReferences()].feedback = feedback
        }
    }
}
