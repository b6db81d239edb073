package import Domain
package import Postgres

/// What a message drew on, as far as the reader may still see it.
package struct MessageReferences: Sendable {
    package struct Source: Sendable {
        package let score: Double
        /// Nil: gone, or not this reader's to see.
        package let shown: ShownChunk?
    }

    package struct NamedAttachment: Sendable {
        package let id: Attachment.ID
        /// Nil: deleted, or not this reader's to see.
        package let filename: String?
    }

    package var sources: [Source] = []
    package var citations: [FinishedReply.Citation] = []
    package var attachments: [NamedAttachment] = []
    package var feedback: MessageFeedback?

    package init() {}
}

extension MessageStore {
    /// Sources, citations and attachments of some messages, joined now and under the reader's scope.
    package func references(
        of messages: [Message.ID], for principal: Principal
    ) throws(PostgresError) -> [Message.ID: MessageReferences] {
        var references: [Message.ID: MessageReferences] = [:]
        let ids = messages.map(\.rawValue)
        try readSources(of: SQL("\(ids)"), for: principal, into: &references)
        try readCitations(of: SQL("\(ids)"), into: &references)
        try readAttachments(of: SQL("\(ids)"), for: principal, into: &references)
        try readFeedback(of: SQL("\(ids)"), into: &references)
        return references
    }

    /// Which of these replies drew on something that is gone, themselves or through an earlier
    /// reply that stood in their prompt. They must not be shown to a model again.
    package func tainted(
        among messages: [Message.ID], for principal: Principal
    ) throws(PostgresError) -> Set<Message.ID> {
        let rows = try session.run(
            """
            SELECT DISTINCT m.id
            FROM messages m
            CROSS JOIN LATERAL unnest(m.drawn_from || m.id) AS used(id)
            JOIN message_sources s ON s.tenant_id = m.tenant_id AND s.message_id = used.id
            WHERE m.tenant_id = \(principal.tenant) AND m.id = ANY(\(messages.map(\.rawValue)))
              AND NOT EXISTS (
                  SELECT FROM chunks k
                  JOIN documents d ON d.tenant_id = k.tenant_id AND d.id = k.document_id
                  WHERE k.tenant_id = s.tenant_id AND k.id = s.chunk_id
                    AND \(sql: SourceStore.isShown(to: principal)))
            """)
        var ids: Set<Message.ID> = []
        for row in rows { ids.insert(try row.get("id")) }
        return ids
    }

    /// The replies that some replies drew on, all the way back, and they themselves. Nil when there are
    /// too many to be kept: then they must not be drawn on.
    package func drawnFrom(
        _ replies: [Message.ID], countMax: Int
    ) throws(PostgresError) -> [Message.ID]? {
        let rows = try session.run(
            """
            SELECT DISTINCT used.id
            FROM messages m CROSS JOIN LATERAL unnest(m.drawn_from || m.id) AS used(id)
            WHERE m.tenant_id = \(Tenant.only) AND m.id = ANY(\(replies.map(\.rawValue)))
            LIMIT \(countMax + 1)
            """)
        if rows.count > countMax { return nil }
        var ids: [Message.ID] = []
        for row in rows { ids.append(try row.get("id")) }
        return ids
    }

    private func readSources(
        of ids: SQL, for principal: Principal,
        into references: inout [Message.ID: MessageReferences]
    ) throws(PostgresError) {
        let rows = try session.run(
            """
            SELECT s.message_id, s.chunk_id, s.chunk_count, s.score FROM message_sources s
            JOIN messages m ON m.tenant_id = s.tenant_id AND m.id = s.message_id
            WHERE s.tenant_id = \(principal.tenant) AND s.message_id = ANY(\(sql: ids))
              AND m.shows_sources
            ORDER BY s.message_id, s.source_index
            """)
        var runs: [SourceStore.Run] = []
        for row in rows {
            runs.append(.init(first: try row.get("chunk_id"), count: try row.get("chunk_count")))
        }
        let shown = try SourceStore(session).find(Set(runs), for: principal)
        for (row, run) in zip(rows, runs) {
            let message: Message.ID = try row.get("message_id")
            let source = MessageReferences.Source(score: try row.get("score"), shown: shown[run])
            references[message, default: MessageReferences()].sources.append(source)
        }
    }

    private func readCitations(
        of ids: SQL, into references: inout [Message.ID: MessageReferences]
    ) throws(PostgresError) {
        let rows = try session.run(
            """
            SELECT c.message_id, c.marker, c.source_index, c.sentence, c.quote_start, c.quote_end,
                   c.verified
            FROM message_citations c
            JOIN messages m ON m.tenant_id = c.tenant_id AND m.id = c.message_id
            WHERE c.tenant_id = \(Tenant.only) AND c.message_id = ANY(\(sql: ids))
              AND m.shows_sources
            ORDER BY c.message_id, c.ordinal
            """)
        for row in rows {
            let start: Int? = try row.find("quote_start")
            let end: Int? = try row.find("quote_end")
            var quote: Range<Int>?
            if let start, let end, start < end { quote = start..<end }
            let citation = FinishedReply.Citation(
                marker: try row.get("marker"), sourceIndex: try row.get("source_index"),
                sentence: try row.get("sentence"), quote: quote, isVerified: try row.get("verified")
            )
            let message: Message.ID = try row.get("message_id")
            references[message, default: MessageReferences()].citations.append(citation)
        }
    }

    private func readAttachments(
        of ids: SQL, for principal: Principal,
        into references: inout [Message.ID: MessageReferences]
    ) throws(PostgresError) {
        let rows = try session.run(
            """
            SELECT ma.message_id, ma.attachment_id, a.filename
            FROM message_attachments ma
            LEFT JOIN documents d ON d.tenant_id = ma.tenant_id AND d.id = ma.attachment_id
              AND \(sql: Visibility.documents(for: principal))
            LEFT JOIN attachments a ON a.tenant_id = d.tenant_id AND a.id = d.id
            WHERE ma.tenant_id = \(principal.tenant) AND ma.message_id = ANY(\(sql: ids))
            ORDER BY ma.message_id, ma.ordinal
            """)
        for row in rows {
            let named = MessageReferences.NamedAttachment(
                id: try row.get("attachment_id"), filename: try row.find("filename"))
            let message: Message.ID = try row.get("message_id")
            references[message, default: MessageReferences()].attachments.append(named)
        }
    }
}
