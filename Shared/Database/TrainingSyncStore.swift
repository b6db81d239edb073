package import Domain
package import Postgres

/// The changes of one sync: recorded page by page, shown all at once.
package struct TrainingSyncStore {
    let transaction: Transaction

    package init(_ transaction: Transaction) { self.transaction = transaction }

    /// What became of a page's indexing.
    package enum Outcome: Sendable {
        /// The revision's points are in every one of these generations.
        case ready(Revision.ID, generations: [Int])
        case failed(reason: String)
    }

    package enum Step: Sendable {
        /// Other pages of the sync are still to come.
        case waiting
        /// These were indexed before the set of generations changed, and are pending again: enqueue
        /// an `IndexTrainingPageJob` for each, in this transaction.
        case again([Document.ID])
        /// This was the last: the new pages are shown from this transaction's commit on.
        case flipped(TrainingFlip)
        /// This was the last, and the pages cannot be shown: the sync has failed, and what was
        /// shown stays. There is as much to tidy up.
        case failed(TrainingFlip)
        /// The sync is over, or the page was finished before. Nothing was changed.
        case over
    }

    /// Records what became of a page and, when it was the last, flips the whole sync.
    ///
    /// - Parameter generations: the numbers that are building or live now, locked `FOR SHARE` by
    ///   the caller in this transaction. Pages that are not in all of them are indexed again.
    package func finishPage(
        _ document: Document.ID, of sync: TrainingSync.ID, as outcome: Outcome, generations: [Int]
    ) throws(PostgresError) -> Step {
        // Pages that finish together wait for each other here: exactly one sees "none left".
        guard try lock(sync) else { return .over }
        let rows =
            switch outcome {
            case .ready(let revision, let indexed):
                try transaction.run(
                    """
                    UPDATE training_sync_pages
                    SET state = 'ready', revision_id = \(revision),
                        generations = \(indexed)::bigint[]
                    WHERE tenant_id = \(Tenant.only) AND sync_id = \(sync)
                      AND document_id = \(document) AND state = 'pending' RETURNING document_id
                    """)
            case .failed(let reason):
                try transaction.run(
                    """
                    UPDATE training_sync_pages SET state = 'failed', reason = \(reason)
                    WHERE tenant_id = \(Tenant.only) AND sync_id = \(sync)
                      AND document_id = \(document) AND state = 'pending' RETURNING document_id
                    """)
            }
        guard !rows.isEmpty else { return .over }
        return try flipIfComplete(sync, generations: generations)
    }

    /// A page whose job had died is waited for again. False when the sync went on without it.
    package func reopenPage(
        _ document: Document.ID, of sync: TrainingSync.ID
    ) throws(PostgresError) -> Bool {
        guard try lock(sync) else { return false }
        return try !transaction.run(
            """
            UPDATE training_sync_pages SET state = 'pending'
            WHERE tenant_id = \(Tenant.only) AND sync_id = \(sync)
              AND document_id = \(document) AND state = 'failed' RETURNING document_id
            """
        ).isEmpty
    }

    /// Flips a sync none of whose pages is pending: at once for one that only removes.
    package func flipIfComplete(
        _ sync: TrainingSync.ID, generations: [Int]
    ) throws(PostgresError) -> Step {
        guard try lock(sync) else { return .over }
        let pending = try transaction.run(
            """
            SELECT 1 AS pending FROM training_sync_pages
            WHERE tenant_id = \(Tenant.only) AND sync_id = \(sync) AND state = 'pending' LIMIT 1
            """)
        guard pending.isEmpty else { return .waiting }
        let outdated = try documents(
            """
            UPDATE training_sync_pages
            SET state = 'pending', revision_id = NULL, generations = '{}'
            WHERE tenant_id = \(Tenant.only) AND sync_id = \(sync) AND state = 'ready'
              AND NOT generations @> \(generations)::bigint[] RETURNING document_id AS id
            """)
        guard outdated.isEmpty else { return .again(outdated) }
        return try flipOrFail(sync, generations: generations)
    }

    /// A path that another page has cannot be shown. Such a sync has to end all the same: while it
    /// runs, no other begins.
    private func flipOrFail(
        _ sync: TrainingSync.ID, generations: [Int]
    ) throws(PostgresError) -> Step {
        // As a script: a prepared statement may have to make room, which needs a whole transaction.
        try transaction.run(script: "SAVEPOINT flip")
        do throws(PostgresError) {
            return .flipped(try flip(sync, generations: generations))
        } catch {
            guard error.isDuplicate() else { throw error }
        }
        try transaction.run(script: "ROLLBACK TO SAVEPOINT flip")
        return .failed(try fail(sync))
    }

    /// False when the sync is over.
    private func lock(_ sync: TrainingSync.ID) throws(PostgresError) -> Bool {
        try !transaction.run(
            """
            SELECT id FROM training_syncs
            WHERE tenant_id = \(Tenant.only) AND id = \(sync) AND state = 'indexing' FOR UPDATE
            """
        ).isEmpty
    }

    private func flip(
        _ sync: TrainingSync.ID, generations: [Int]
    ) throws(PostgresError) -> TrainingFlip {
        let replaced = try documents(
            """
            SELECT DISTINCT p.document_id AS id FROM training_sync_pages p
            JOIN indexed_documents i ON i.tenant_id = p.tenant_id AND i.document_id = p.document_id
            WHERE p.tenant_id = \(Tenant.only) AND p.sync_id = \(sync) AND p.state = 'ready'
              AND i.revision_id <> p.revision_id
            """)
        let removed = try removePages(of: sync)
        let shown = try showPages(of: sync, generations: generations)
        try end(sync, as: "done")
        return TrainingFlip(shown: shown, replaced: replaced, erased: removed)
    }

    /// Shows nothing of it, and removes nothing.
    private func fail(_ sync: TrainingSync.ID) throws(PostgresError) -> TrainingFlip {
        let indexed = try documents(
            """
            UPDATE training_sync_pages
            SET state = 'failed', revision_id = NULL, generations = '{}',
                reason = 'path_taken: two pages of the sync have one path'
            WHERE tenant_id = \(Tenant.only) AND sync_id = \(sync) AND state = 'ready'
            RETURNING document_id AS id
            """)
        try transaction.run(
            """
            DELETE FROM training_sync_pages
            WHERE tenant_id = \(Tenant.only) AND sync_id = \(sync) AND state = 'removed'
            """)
        let new = try removePages(of: sync)
        try end(sync, as: "failed")
        return TrainingFlip(
            shown: [], replaced: Array(Set(indexed).subtracting(new)), erased: new)
    }

    /// Counts what became of its pages, and tells those who wait.
    private func end(_ sync: TrainingSync.ID, as state: String) throws(PostgresError) {
        try transaction.run(
            """
            UPDATE training_syncs s SET
                state = \(state), finished_at = now(), indexed_count = c.ready,
                removed_count = c.removed, failed_count = s.failed_count + c.failed,
                failures = c.failures
            FROM (
                SELECT count(*) FILTER (WHERE state = 'ready') AS ready,
                       count(*) FILTER (WHERE state = 'removed') AS removed,
                       count(*) FILTER (WHERE state = 'failed') AS failed,
                       coalesce(
                           jsonb_agg(jsonb_build_object('path', path, 'reason', reason))
                               FILTER (WHERE state = 'failed'), '[]') AS failures
                FROM training_sync_pages WHERE tenant_id = \(Tenant.only) AND sync_id = \(sync)
            ) c
            WHERE s.tenant_id = \(Tenant.only) AND s.id = \(sync)
            """)
        try transaction.run(
            """
            DELETE FROM training_sync_pages
            WHERE tenant_id = \(Tenant.only) AND sync_id = \(sync)
            """)
        try transaction.notify(TrainingStore.channel, sync.description)
    }

    /// Tombstones of the pages that are gone, and of new ones that could not be indexed.
    private func removePages(of sync: TrainingSync.ID) throws(PostgresError) -> [Document.ID] {
        let removed = try documents(
            """
            UPDATE documents d SET deleted_at = now()
            FROM training_sync_pages p
            WHERE p.tenant_id = \(Tenant.only) AND p.sync_id = \(sync)
              AND d.tenant_id = p.tenant_id AND d.id = p.document_id AND d.deleted_at IS NULL
              AND (p.state = 'removed' OR p.state = 'failed' AND NOT EXISTS (
                  SELECT FROM training_pages t
                  WHERE t.tenant_id = p.tenant_id AND t.document_id = p.document_id))
            RETURNING d.id
            """)
        try DocumentStore(transaction).awaitWriters(of: removed)
        let gone = removed.map(\.rawValue)
        try transaction.run(
            """
            DELETE FROM indexed_documents
            WHERE tenant_id = \(Tenant.only) AND document_id = ANY(\(gone)::uuid[])
            """)
        try transaction.run(
            """
            DELETE FROM training_pages
            WHERE tenant_id = \(Tenant.only) AND document_id = ANY(\(gone)::uuid[])
            """)
        return removed
    }

    private func showPages(
        of sync: TrainingSync.ID, generations: [Int]
    ) throws(PostgresError) -> [Document.ID] {
        let shown = try documents(
            """
            UPDATE documents d SET title = p.title
            FROM training_sync_pages p
            WHERE p.tenant_id = \(Tenant.only) AND p.sync_id = \(sync) AND p.state = 'ready'
              AND d.tenant_id = p.tenant_id AND d.id = p.document_id
            RETURNING d.id
            """)
        try transaction.run(
            """
            INSERT INTO training_pages
                (tenant_id, document_id, path, url, repository_url, commit, content, content_hash,
                 tags)
            SELECT p.tenant_id, p.document_id, p.path, p.url, s.repository_url, s.commit,
                   p.content, p.content_hash, p.tags
            FROM training_sync_pages p
            JOIN training_syncs s ON s.tenant_id = p.tenant_id AND s.id = p.sync_id
            WHERE p.tenant_id = \(Tenant.only) AND p.sync_id = \(sync) AND p.state = 'ready'
            ON CONFLICT (tenant_id, document_id) DO UPDATE SET
                path = excluded.path, url = excluded.url,
                repository_url = excluded.repository_url, commit = excluded.commit,
                content = excluded.content, content_hash = excluded.content_hash,
                tags = excluded.tags
            """)
        try transaction.run(
            """
            INSERT INTO indexed_documents (tenant_id, document_id, generation, revision_id)
            SELECT p.tenant_id, p.document_id, g.number, p.revision_id
            FROM training_sync_pages p CROSS JOIN unnest(\(generations)::bigint[]) AS g(number)
            WHERE p.tenant_id = \(Tenant.only) AND p.sync_id = \(sync) AND p.state = 'ready'
            ON CONFLICT (tenant_id, document_id, generation) DO UPDATE SET
                revision_id = excluded.revision_id, indexed_at = now()
            """)
        return shown
    }

    private func documents(_ sql: SQL) throws(PostgresError) -> [Document.ID] {
        var documents: [Document.ID] = []
        for row in try transaction.run(sql) { documents.append(try row.get("id")) }
        return documents
    }
}

/// What a sync's end changed, for the jobs that tidy up after it. Enqueue them in the same
/// transaction.
package struct TrainingFlip: Sendable, Hashable {
    /// New and changed pages.
    package let shown: [Document.ID]
    /// Those with a revision that is not shown, or no more: a `SweepRevisionsJob` for each.
    package let replaced: [Document.ID]
    /// Tombstoned: an `EraseDocumentJob` for each.
    package let erased: [Document.ID]
}
