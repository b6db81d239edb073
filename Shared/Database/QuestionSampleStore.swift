package import Domain
package import Postgres

/// Questions that members asked lately, to measure with. They never leave the process that measures:
/// neither logs nor operators get to see them.
package struct QuestionSampleStore {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    /// Conversations looked at, and those of one member among them.
    private static let conversationCountMax = 500
    private static let memberCountMax = 3

    /// The last question of each of the newest conversations, of no member too many.
    package func newest(_ limit: Int) throws(PostgresError) -> [SampleQuestion] {
        let rows = try session.run(
            """
            SELECT c.user_id, q.content FROM (
                SELECT tenant_id, id, user_id, last_sequence, row_number() OVER (
                    PARTITION BY user_id ORDER BY last_sequence DESC) AS place
                FROM (SELECT * FROM conversations WHERE tenant_id = \(Tenant.only)
                      ORDER BY last_sequence DESC LIMIT \(Self.conversationCountMax)) newest
            ) c
            CROSS JOIN LATERAL (
                SELECT m.content FROM messages m
                WHERE m.tenant_id = c.tenant_id AND m.conversation_id = c.id
                  AND m.role = 'user' AND m.content ~ '\\S'
                ORDER BY m.sequence DESC LIMIT 1
            ) q
            WHERE c.place <= \(Self.memberCountMax) ORDER BY c.last_sequence DESC LIMIT \(limit)
            """)
        var questions: [SampleQuestion] = []
        for row in rows {
            questions.append(
                SampleQuestion(
                    asker: Principal(user: try row.get("user_id")), text: try row.get("content")))
        }
        return questions
    }
}

/// A question, and who may see what it finds.
package struct SampleQuestion: Sendable {
    package let asker: Principal
    package let text: String
}
