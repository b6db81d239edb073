package import Domain
package import Postgres

/// What a member's answers take, now and today. A day is one of UTC.
package struct AnswerUsageStore {
    private let session: Transaction
    private let principal: Principal

    package init(_ transaction: Transaction, for principal: Principal) {
        session = transaction
        self.principal = principal
    }

    /// Answers that are being written, on whichever replica.
    package func runningCount() throws(PostgresError) -> Int {
        try session.run(
            """
            SELECT count(*) AS total FROM messages m
            JOIN conversations c ON c.tenant_id = m.tenant_id AND c.id = m.conversation_id
            WHERE c.tenant_id = \(principal.tenant) AND c.user_id = \(principal.user)
              AND m.status = 'generating' AND m.lease_expires_at > now()
            """
        ).first?.get("total") ?? 0
    }

    /// Tokens of today's answers, and the seconds until tomorrow.
    package func today() throws(PostgresError) -> (tokenCount: Int, secondsLeft: Int) {
        let row = try session.run(
            """
            SELECT coalesce((
                    SELECT prompt_token_count + completion_token_count FROM token_usage
                    WHERE tenant_id = \(principal.tenant) AND user_id = \(principal.user)
                      AND day = (now() AT TIME ZONE 'UTC')::date), 0)::bigint AS tokens,
                ceil(extract(epoch FROM
                    date_trunc('day', now() AT TIME ZONE 'UTC') + interval '1 day'
                    - now() AT TIME ZONE 'UTC'))::bigint AS seconds
            """
        ).first
        guard let row else { throw .undecodable(column: "tokens") }
        return (try row.get("tokens"), try row.get("seconds"))
    }

    /// The record of a member goes with them.
    package func deleteAll() throws(PostgresError) {
        try session.run(
            """
            DELETE FROM token_usage
            WHERE tenant_id = \(principal.tenant) AND user_id = \(principal.user)
            """)
    }
}

extension MessageStore {
    /// Adds to the day's usage of whoever has the conversation.
    func count(
        promptTokens: Int, completionTokens: Int, in conversation: Conversation.ID
    ) throws(PostgresError) {
        try session.run(
            """
            INSERT INTO token_usage (tenant_id, user_id, day, prompt_token_count,
                                     completion_token_count)
            SELECT c.tenant_id, c.user_id, (now() AT TIME ZONE 'UTC')::date, \(promptTokens)::bigint,
                   \(completionTokens)::bigint
            FROM conversations c WHERE c.tenant_id = \(Tenant.only) AND c.id = \(conversation)
            ON CONFLICT (tenant_id, user_id, day) DO UPDATE SET
                prompt_token_count = token_usage.prompt_token_count
                    + excluded.prompt_token_count,
                completion_token_count = token_usage.completion_token_count
                    + excluded.completion_token_count
            """)
    }
}
