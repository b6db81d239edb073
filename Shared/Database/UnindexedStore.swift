package import Domain
package import Postgres

/// Uploads and pages that are to be indexed again.
package struct UnindexedStore {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    /// Uploads that failed, that no generation shows though they were indexed, whose job was lost,
    /// or that were cut by another chunker than this. Oldest first.
    package func listUnindexed(
        chunkingVersion: String, limit: Int
    ) throws(PostgresError) -> [Attachment] {
        try attachments(
            """
            SELECT a.* FROM attachments a
            JOIN documents d ON d.tenant_id = a.tenant_id AND d.id = a.id
            LEFT JOIN indexed_documents i ON i.tenant_id = a.tenant_id AND i.document_id = a.id
                AND i.generation = (SELECT number FROM generations WHERE state = 'live')
            LEFT JOIN revisions r ON r.tenant_id = i.tenant_id AND r.id = i.revision_id
            WHERE a.tenant_id = \(Tenant.only) AND d.deleted_at IS NULL
              AND (a.status IN ('failed', 'queued', 'processing')
                   OR a.status = 'indexed' AND i.revision_id IS NULL
                   OR r.chunking_version <> \(chunkingVersion))
              AND NOT EXISTS (
                  SELECT FROM jobs j WHERE j.subject = a.id::text
                    AND j.kind = \(IndexAttachmentJob.kind) AND j.state IN ('ready', 'running'))
            ORDER BY a.sequence LIMIT \(limit)
            """)
    }

    /// Pages shown now that the live generation lacks, or has from another chunker.
    package func listUnindexedPages(
        chunkingVersion: String, limit: Int
    ) throws(PostgresError) -> [Document.ID] {
        let rows = try session.run(
            """
            SELECT t.document_id AS id FROM training_pages t
            JOIN documents d ON d.tenant_id = t.tenant_id AND d.id = t.document_id
            LEFT JOIN indexed_documents i
                ON i.tenant_id = t.tenant_id AND i.document_id = t.document_id
                AND i.generation = (SELECT number FROM generations WHERE state = 'live')
            LEFT JOIN revisions r ON r.tenant_id = i.tenant_id AND r.id = i.revision_id
            WHERE t.tenant_id = \(Tenant.only) AND d.deleted_at IS NULL
              AND (i.revision_id IS NULL OR r.chunking_version <> \(chunkingVersion))
              AND NOT EXISTS (
                  SELECT FROM jobs j WHERE j.subject = t.document_id::text
                    AND j.kind = \(ReindexDocumentJob.kind) AND j.state IN ('ready', 'running'))
            ORDER BY t.path LIMIT \(limit)
            """)
        var pages: [Document.ID] = []
        for row in rows { pages.append(try row.get("id")) }
        return pages
    }

    /// Uploads and pages together.
    package func documentCount() throws(PostgresError) -> Int {
        try session.run(
            """
            SELECT count(*) AS total FROM documents
            WHERE tenant_id = \(Tenant.only) AND deleted_at IS NULL
            """
        ).first?.get("total") ?? 0
    }

    /// To be indexed again: what failed is queued now, what is searchable stays so meanwhile.
    package func setQueued(_ id: Attachment.ID) throws(PostgresError) {
        try session.run(
            """
            UPDATE attachments SET status = 'queued', error_code = NULL, error_message = NULL
            WHERE tenant_id = \(Tenant.only) AND id = \(id) AND status IN ('failed', 'processing')
            """)
    }

    private func attachments(_ sql: SQL) throws(PostgresError) -> [Attachment] {
        var attachments: [Attachment] = []
        for row in try session.run(sql) { attachments.append(try Attachment(row)) }
        return attachments
    }
}
