package import Domain
package import Postgres

/// A sync to be begun: what differs from the pages shown now.
package struct TrainingSyncDraft: Sendable {
    package struct Page: Sendable {
        package let documentID: Document.ID
        package let path: String
        /// Where a person can read it.
        package let url: String
        package let title: String
        package let content: String
        package let contentHash: [UInt8]
        package let tags: [String]

        package init(
            documentID: Document.ID, path: String, url: String, title: String, content: String,
            contentHash: [UInt8], tags: [String]
        ) {
            self.documentID = documentID
            self.path = path
            self.url = url
            self.title = title
            self.content = content
            self.contentHash = contentHash
            self.tags = tags
        }
    }

    package let id: TrainingSync.ID
    /// Without credentials.
    package let repositoryURL: String
    package let target: String
    package let previousCommit: String?
    package let commit: String
    /// New and changed ones.
    package let pages: [Page]
    package let removed: [TrainingPage]
    /// Shown already as they are.
    package let skipped: [TrainingPage]
    /// Paths of pages too large to be indexed: what was shown of them stays.
    package let refused: [String]
    /// Paths of pages left out, because another page's reads the same.
    package let ambiguous: [String]

    package init(
        id: TrainingSync.ID, repositoryURL: String, target: String, previousCommit: String?,
        commit: String, pages: [Page], removed: [TrainingPage], skipped: [TrainingPage],
        refused: [String], ambiguous: [String] = []
    ) {
        self.id = id
        self.repositoryURL = repositoryURL
        self.target = target
        self.previousCommit = previousCommit
        self.commit = commit
        self.pages = pages
        self.removed = removed
        self.skipped = skipped
        self.refused = refused
        self.ambiguous = ambiguous
    }
}

extension TrainingSyncStore {
    /// Begins a sync. False when another is running: nothing was inserted.
    package func insert(_ draft: TrainingSyncDraft) throws(PostgresError) -> Bool {
        let begun = try transaction.run(
            """
            INSERT INTO training_syncs
                (tenant_id, id, repository_url, target, previous_commit, commit, skipped_count,
                 removed_count, failed_count)
            VALUES (\(Tenant.only), \(draft.id), \(draft.repositoryURL), \(draft.target),
                    \(draft.previousCommit), \(draft.commit), \(draft.skipped.count),
                    \(draft.removed.count), \(draft.refused.count + draft.ambiguous.count))
            ON CONFLICT (tenant_id) WHERE state = 'indexing' DO NOTHING RETURNING id
            """)
        guard !begun.isEmpty else { return false }
        try deleteOld()
        for page in draft.pages { try insert(page, of: draft.id) }
        for page in draft.removed {
            try transaction.run(
                """
                INSERT INTO training_sync_pages
                    (tenant_id, sync_id, document_id, path, url, title, content, content_hash,
                     state)
                VALUES (\(Tenant.only), \(draft.id), \(page.documentID), \(page.path), '', '', '',
                        \(page.contentHash), 'removed')
                """)
        }
        return true
    }

    /// Syncs come every minute perhaps; the newest say what is shown, and what was.
    private func deleteOld() throws(PostgresError) {
        try transaction.run(
            """
            DELETE FROM training_syncs
            WHERE tenant_id = \(Tenant.only) AND state <> 'indexing'
              AND sequence <= (
                  SELECT sequence FROM training_syncs
                  WHERE tenant_id = \(Tenant.only) ORDER BY sequence DESC LIMIT 1 OFFSET 200)
            """)
    }

    /// Revisions belong to a document, so a new page has one from the start. It is shown by
    /// `indexed_documents` alone, hence not before the flip.
    private func insert(
        _ page: TrainingSyncDraft.Page, of sync: TrainingSync.ID
    ) throws(PostgresError) {
        try transaction.run(
            """
            INSERT INTO documents (tenant_id, id, kind, title)
            VALUES (\(Tenant.only), \(page.documentID), 'training', \(page.title))
            ON CONFLICT (tenant_id, id) DO NOTHING
            """)
        try transaction.run(
            """
            INSERT INTO training_sync_pages
                (tenant_id, sync_id, document_id, path, url, title, content, content_hash, tags)
            VALUES (\(Tenant.only), \(sync), \(page.documentID), \(page.path), \(page.url),
                    \(page.title), \(page.content), \(page.contentHash), \(page.tags))
            """)
    }

    /// Which of these ids are taken by documents: those of pages that went and are being erased.
    package func taken(_ documents: [Document.ID]) throws(PostgresError) -> Set<Document.ID> {
        var taken: Set<Document.ID> = []
        let rows = try transaction.run(
            """
            SELECT id FROM documents
            WHERE tenant_id = \(Tenant.only) AND id = ANY(\(documents.map(\.rawValue))::uuid[])
            """)
        for row in rows { taken.insert(try row.get("id")) }
        return taken
    }
}
