package import Domain
package import Postgres

/// What a member has, and the uploads of theirs that are on their way.
package struct UsageStore {
    private let session: Session
    private let principal: Principal

    package init(_ session: Session, for principal: Principal) {
        self.session = session
        self.principal = principal
    }

    /// A deleted file counts no more from its deletion's commit on.
    package func usage() throws(PostgresError) -> UserUsage {
        let rows = try session.run(
            """
            SELECT count(*) AS files, coalesce(sum(a.byte_count), 0)::bigint AS bytes,
                   (SELECT count(*) FROM upload_reservations r
                    WHERE r.tenant_id = \(principal.tenant) AND r.user_id = \(principal.user)
                      AND r.expires_at > now()) AS uploads
            FROM attachments a
            JOIN documents d ON d.tenant_id = a.tenant_id AND d.id = a.id
            WHERE a.tenant_id = \(principal.tenant) AND a.owner_user_id = \(principal.user)
              AND d.deleted_at IS NULL
            """)
        guard let row = rows.first else { throw .undecodable(column: "files") }
        return UserUsage(
            storedByteCount: try row.get("bytes"), fileCount: try row.get("files"),
            uploadCount: try row.get("uploads"))
    }

    package func tokens() throws(PostgresError) -> TokenUsage {
        let rows = try session.run(
            """
            SELECT coalesce(sum(m.prompt_token_count), 0)::bigint AS prompt,
                   coalesce(sum(m.completion_token_count), 0)::bigint AS completion
            FROM messages m
            JOIN conversations c ON c.tenant_id = m.tenant_id AND c.id = m.conversation_id
            WHERE c.tenant_id = \(principal.tenant) AND c.user_id = \(principal.user)
            """)
        guard let row = rows.first else { throw .undecodable(column: "prompt") }
        return TokenUsage(
            promptTokenCount: try row.get("prompt"),
            completionTokenCount: try row.get("completion"))
    }
}
