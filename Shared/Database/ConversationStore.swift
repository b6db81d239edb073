package import Domain
package import Postgres

/// A member's conversations. Another member's are simply not there.
package struct ConversationStore {
    /// Where a listing goes on: after the row that had this sequence and id.
    package struct Position: Sendable {
        package let sequence: Int
        package let id: Conversation.ID

        package init(sequence: Int, id: Conversation.ID) {
            self.sequence = sequence
            self.id = id
        }
    }

    private let session: Session

    package init(_ session: Session) { self.session = session }

    package func insert(
        _ id: Conversation.ID, title: String, for principal: Principal
    ) throws(PostgresError) {
        try session.run(
            """
            INSERT INTO conversations (tenant_id, id, user_id, title)
            VALUES (\(principal.tenant), \(id), \(principal.user), \(title))
            """)
    }

    package func find(
        _ id: Conversation.ID, for principal: Principal
    ) throws(PostgresError) -> Conversation? {
        let rows = try session.run(
            """
            \(sql: Self.selection) WHERE \(sql: Self.own(principal)) AND c.id = \(id)
            """)
        return try rows.first.map(Self.conversation)
    }

    /// Holds the row until the transaction ends, so that turns are begun one after another.
    package func lock(
        _ id: Conversation.ID, for principal: Principal
    ) throws(PostgresError) -> Bool {
        let rows = try session.run(
            """
            SELECT c.id FROM conversations c
            WHERE \(sql: Self.own(principal)) AND c.id = \(id) FOR UPDATE
            """)
        return !rows.isEmpty
    }

    /// Most recent first. `search` looks into titles and messages.
    package func list(
        for principal: Principal, search: String?, after position: Position?, offset: Int,
        limit: Int
    ) throws(PostgresError) -> [Conversation] {
        let rest: SQL =
            position.map {
                // The first condition alone is one that the index can begin at.
                """
                AND c.last_sequence <= \($0.sequence)
                AND (c.last_sequence < \($0.sequence) OR c.id > \($0.id))
                """
            } ?? ""
        let rows = try session.run(
            """
            \(sql: Self.selection)
            WHERE \(sql: Self.own(principal)) \(sql: Self.matching(search)) \(sql: rest)
            ORDER BY c.last_sequence DESC, c.id LIMIT \(limit) OFFSET \(offset)
            """)
        var conversations: [Conversation] = []
        for row in rows { conversations.append(try Self.conversation(row)) }
        return conversations
    }

    /// In an order that does not change while messages come: by id.
    package func list(
        for principal: Principal, after id: Conversation.ID?, limit: Int
    ) throws(PostgresError) -> [Conversation] {
        let rows = try session.run(
            """
            \(sql: Self.selection)
            WHERE \(sql: Self.own(principal)) AND (\(id)::uuid IS NULL OR c.id > \(id)::uuid)
            ORDER BY c.id LIMIT \(limit)
            """)
        var conversations: [Conversation] = []
        for row in rows { conversations.append(try Self.conversation(row)) }
        return conversations
    }

    package func count(
        for principal: Principal, search: String?
    ) throws(PostgresError) -> Int {
        try session.run(
            """
            SELECT count(*) AS total FROM conversations c
            WHERE \(sql: Self.own(principal)) \(sql: Self.matching(search))
            """
        ).first?.get("total") ?? 0
    }

    /// False when there is no such conversation, or it is not called `old`.
    package func setTitle(
        _ title: String, of id: Conversation.ID, insteadOf old: String? = nil,
        for principal: Principal
    ) throws(PostgresError) -> Bool {
        let rows = try session.run(
            """
            UPDATE conversations c SET title = \(title)
            WHERE \(sql: Self.own(principal)) AND c.id = \(id)
              AND (\(old)::text IS NULL OR c.title = \(old)::text) RETURNING c.id
            """)
        return !rows.isEmpty
    }

    /// Its messages go with it. False when there is no such conversation.
    package func delete(
        _ id: Conversation.ID, for principal: Principal
    ) throws(PostgresError) -> Bool {
        let rows = try session.run(
            """
            DELETE FROM conversations c
            WHERE \(sql: Self.own(principal)) AND c.id = \(id) RETURNING c.id
            """)
        return !rows.isEmpty
    }

    /// All of the member's, and how many messages went with them.
    package func deleteAll(
        for principal: Principal
    ) throws(PostgresError) -> (conversationCount: Int, messageCount: Int) {
        let rows = try session.run(
            """
            WITH gone AS (
                DELETE FROM conversations c WHERE \(sql: Self.own(principal))
                RETURNING c.id, c.message_count)
            SELECT count(*) AS conversations, coalesce(sum(message_count), 0)::bigint AS messages
            FROM gone
            """)
        guard let row = rows.first else { throw .undecodable(column: "conversations") }
        return (try row.get("conversations"), try row.get("messages"))
    }

    /// Replies that are being made in any conversation of the member's.
    package func generating(for principal: Principal) throws(PostgresError) -> [Message.ID] {
        let rows = try session.run(
            """
            SELECT m.id FROM messages m
            JOIN conversations c ON c.tenant_id = m.tenant_id AND c.id = m.conversation_id
            WHERE \(sql: Self.own(principal)) AND m.status = 'generating'
            """)
        var ids: [Message.ID] = []
        for row in rows { ids.append(try row.get("id")) }
        return ids
    }

    /// Every attachment named in it, in the order they were named first.
    package func attachmentIDs(
        of id: Conversation.ID
    ) throws(PostgresError) -> [Attachment.ID] {
        let rows = try session.run(
            """
            SELECT ma.attachment_id, min(m.sequence) AS first_sequence, min(ma.ordinal) AS first_ordinal
            FROM messages m
            JOIN message_attachments ma ON ma.tenant_id = m.tenant_id AND ma.message_id = m.id
            WHERE m.tenant_id = \(Tenant.only) AND m.conversation_id = \(id)
            GROUP BY ma.attachment_id ORDER BY first_sequence, first_ordinal
            """)
        var ids: [Attachment.ID] = []
        for row in rows { ids.append(try row.get("attachment_id")) }
        return ids
    }

    private static let selection: SQL = """
        SELECT c.id, c.title, c.created_at, c.last_message_at, c.message_count, c.last_sequence,
               newest.snippet
        FROM conversations c
        LEFT JOIN LATERAL (
            SELECT left(m.content, 160) AS snippet FROM messages m
            WHERE m.tenant_id = c.tenant_id AND m.conversation_id = c.id AND m.content <> ''
            ORDER BY m.sequence DESC LIMIT 1
        ) newest ON true
        """

    private static func own(_ principal: Principal) -> SQL {
        "c.tenant_id = \(principal.tenant) AND c.user_id = \(principal.user)"
    }

    private static func matching(_ search: String?) -> SQL {
        guard let search, !search.isEmpty else { return "" }
        let pattern = "%\(escapedForLike(search))%"
        // With EXISTS, the planner may read everybody's messages first.
        return """
            AND (c.title ILIKE \(pattern) OR (
                SELECT true FROM messages m
                WHERE m.tenant_id = c.tenant_id AND m.conversation_id = c.id
                  AND m.content ILIKE \(pattern) LIMIT 1
            ))
            """
    }

    /// What a person types is looked for as it stands: `%` and `_` are no wildcards.
    private static func escapedForLike(_ text: String) -> String {
        var escaped = ""
        for character in text {
            if character == "%" || character == "_" || character == "\\" { escaped.append("\\") }
            escaped.append(character)
        }
        return escaped
    }

    private static func conversation(_ row: Row) throws(PostgresError) -> Conversation {
        Conversation(
            id: try row.get("id"), title: try row.get("title"),
            createdAt: try row.get("created_at"), lastMessageAt: try row.get("last_message_at"),
            messageCount: try row.get("message_count"),
            lastSequence: try row.get("last_sequence"), lastSnippet: try row.find("snippet"))
    }
}
