package import Domain
package import Postgres

/// The pages of the training materials that are shown now, and the syncs that change them.
///
/// A sync is prepared by admin (`insert`), its pages are indexed one by one by ingest's workers,
/// and all of them change over in the one transaction that finishes the last (`TrainingSyncStore`).
package struct TrainingStore {
    /// Notified with the sync's id when it is done.
    package static let channel = "celine_training"

    private let session: Session

    package init(_ session: Session) { self.session = session }

    /// Every page shown now.
    package func pages() throws(PostgresError) -> [TrainingPage] {
        let rows = try session.run(
            """
            SELECT t.document_id, t.path, d.title, t.repository_url, t.content_hash,
                   EXISTS (
                       SELECT FROM indexed_documents i
                       JOIN generations g ON g.number = i.generation AND g.state = 'live'
                       WHERE i.tenant_id = t.tenant_id AND i.document_id = t.document_id
                   ) AS is_indexed
            FROM training_pages t
            JOIN documents d ON d.tenant_id = t.tenant_id AND d.id = t.document_id
            WHERE t.tenant_id = \(Tenant.only)
            """)
        var pages: [TrainingPage] = []
        for row in rows {
            pages.append(
                TrainingPage(
                    documentID: try row.get("document_id"), path: try row.get("path"),
                    title: try row.get("title"),
                    repositoryURL: try row.get("repository_url"),
                    contentHash: try row.get("content_hash"),
                    isIndexed: try row.get("is_indexed")))
        }
        return pages
    }

    /// The Markdown of a page shown now, for indexing it anew. Nil if it is no page.
    package func findContent(_ document: Document.ID) throws(PostgresError) -> String? {
        try session.run(
            """
            SELECT content FROM training_pages
            WHERE tenant_id = \(Tenant.only) AND document_id = \(document)
            """
        ).first?.get("content")
    }

    /// A page of a running sync, to be indexed. Nil when the sync is over, or needs it no more.
    package func findPendingPage(
        _ document: Document.ID, of sync: TrainingSync.ID
    ) throws(PostgresError) -> PendingTrainingPage? {
        let rows = try session.run(
            """
            SELECT p.path, p.title, p.content, p.content_hash
            FROM training_sync_pages p
            JOIN training_syncs s ON s.tenant_id = p.tenant_id AND s.id = p.sync_id
            WHERE p.tenant_id = \(Tenant.only) AND p.sync_id = \(sync)
              AND p.document_id = \(document) AND p.state = 'pending' AND s.state = 'indexing'
            """)
        guard let row = rows.first else { return nil }
        return PendingTrainingPage(
            documentID: document, path: try row.get("path"), title: try row.get("title"),
            content: try row.get("content"), contentHash: try row.get("content_hash"))
    }

    /// The commit that is shown now: nil before the first sync of this repository.
    package func findShownCommit(of repositoryURL: String) throws(PostgresError) -> String? {
        try session.run(
            """
            SELECT CASE WHEN repository_url = \(repositoryURL) THEN commit END AS commit
            FROM training_syncs
            WHERE tenant_id = \(Tenant.only) AND state = 'done' ORDER BY sequence DESC LIMIT 1
            """
        ).first?.find("commit")
    }

    /// The sync that is being indexed, if one is.
    package func findRunning() throws(PostgresError) -> TrainingSync.ID? {
        try session.run(
            "SELECT id FROM training_syncs WHERE tenant_id = \(Tenant.only) AND state = 'indexing'"
        ).first?.get("id")
    }

    /// What became of a sync's pages that are not as they shall be: those that wait, and those that
    /// could not be indexed.
    package func unfinished(
        of sync: TrainingSync.ID
    ) throws(PostgresError) -> UnfinishedPages {
        let pending = try session.run(
            """
            SELECT path FROM training_sync_pages
            WHERE tenant_id = \(Tenant.only) AND sync_id = \(sync) AND state = 'pending'
            """)
        let failed = try session.run(
            """
            SELECT f.path, f.reason FROM training_syncs s
            CROSS JOIN jsonb_to_recordset(s.failures) AS f(path text, reason text)
            WHERE s.tenant_id = \(Tenant.only) AND s.id = \(sync)
            UNION ALL
            SELECT path, reason FROM training_sync_pages
            WHERE tenant_id = \(Tenant.only) AND sync_id = \(sync) AND state = 'failed'
            """)
        var pages = UnfinishedPages()
        for row in pending { pages.pending.insert(try row.get("path")) }
        for row in failed { pages.failed[try row.get("path")] = try row.find("reason") ?? "" }
        return pages
    }

    /// Whether a sync to this target was begun within the last seconds, by whichever replica.
    package func wasBegun(
        withinSeconds seconds: Int, target: String
    ) throws(PostgresError) -> Bool {
        try !session.run(
            """
            SELECT id FROM training_syncs
            WHERE tenant_id = \(Tenant.only) AND target = \(target)
              AND created_at > now() - make_interval(secs => \(seconds)::int) LIMIT 1
            """
        ).isEmpty
    }

    /// How far a sync is.
    package func find(_ sync: TrainingSync.ID) throws(PostgresError) -> TrainingSyncProgress? {
        let rows = try session.run(
            """
            SELECT s.state, s.indexed_count, s.skipped_count, s.removed_count, s.failed_count,
                   count(p.document_id) FILTER (WHERE p.state = 'pending') AS pending_count,
                   count(p.document_id) FILTER (WHERE p.state = 'ready') AS ready_count,
                   count(p.document_id) FILTER (WHERE p.state = 'failed') AS lost_count
            FROM training_syncs s
            LEFT JOIN training_sync_pages p ON p.tenant_id = s.tenant_id AND p.sync_id = s.id
            WHERE s.tenant_id = \(Tenant.only) AND s.id = \(sync)
            GROUP BY s.tenant_id, s.id
            """)
        guard let row = rows.first else { return nil }
        return TrainingSyncProgress(
            isDone: try row.get("state", as: String.self) != "indexing",
            indexedCount: try row.get("indexed_count") + row.get("ready_count"),
            skippedCount: try row.get("skipped_count"),
            removedCount: try row.get("removed_count"),
            failedCount: try row.get("failed_count") + row.get("lost_count"),
            pendingCount: try row.get("pending_count"))
    }
}

/// A page as it is shown now.
package struct TrainingPage: Sendable, Hashable {
    package let documentID: Document.ID
    package let path: String
    package let title: String
    package let repositoryURL: String
    package let contentHash: [UInt8]
    /// Whether the live generation has it.
    package let isIndexed: Bool
}

/// A page that waits to be indexed.
package struct PendingTrainingPage: Sendable, Hashable {
    package let documentID: Document.ID
    package let path: String
    package let title: String
    /// The Markdown.
    package let content: String
    package let contentHash: [UInt8]
}

/// Paths of a sync's pages.
package struct UnfinishedPages: Sendable, Hashable {
    package var pending: Set<String> = []
    /// With the reason, as the job that gave up has it.
    package var failed: [String: String] = [:]
}

/// How far a sync is. While it runs, what is ready counts as indexed and is not shown yet.
package struct TrainingSyncProgress: Sendable, Hashable {
    /// Also when it failed: then all its pages have.
    package let isDone: Bool
    package let indexedCount: Int
    package let skippedCount: Int
    package let removedCount: Int
    package let failedCount: Int
    package let pendingCount: Int
}
