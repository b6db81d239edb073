package import Domain
internal import FoundationEssentials
package import Postgres

/// Documents and their tombstones.
package struct DocumentStore {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    package func insert(
        _ id: Document.ID, kind: Document.Kind, owner: Owner, title: String
    ) throws(PostgresError) {
        try session.run(
            """
            INSERT INTO documents (tenant_id, id, kind, owner_user_id, title)
            VALUES (\(Tenant.only), \(id), \(kind), \(owner.userID), \(title))
            """)
    }

    /// One that is not tombstoned.
    package func find(_ id: Document.ID) throws(PostgresError) -> StoredDocument? {
        try stored(id, lock: "")
    }

    /// The same, kept from being tombstoned until the transaction ends.
    ///
    /// Lock documents before jobs and jobs before generations, everywhere.
    package func findLocked(_ id: Document.ID) throws(PostgresError) -> StoredDocument? {
        try stored(id, lock: "FOR SHARE")
    }

    private func stored(_ id: Document.ID, lock: SQL) throws(PostgresError) -> StoredDocument? {
        let rows = try session.run(
            """
            SELECT kind, owner_user_id, title FROM documents
            WHERE tenant_id = \(Tenant.only) AND id = \(id) AND deleted_at IS NULL \(sql: lock)
            """)
        guard let row = rows.first else { return nil }
        return StoredDocument(
            id: id, kind: try row.get("kind"),
            owner: Owner(userID: try row.find("owner_user_id", as: User.ID.self)),
            title: try row.get("title"))
    }

    /// What a member uploaded.
    package func list(ownedBy user: User.ID) throws(PostgresError) -> [Document.ID] {
        try ids(
            """
            SELECT id FROM documents
            WHERE tenant_id = \(Tenant.only) AND owner_user_id = \(user) AND deleted_at IS NULL
            ORDER BY id
            """)
    }

    /// The tombstone: false when there was one already, or no such document.
    package func delete(_ id: Document.ID) throws(PostgresError) -> Bool {
        try !delete([id]).isEmpty
    }

    /// Tombstones those that have none, which are returned. Takes them out of every generation and
    /// forgets their names; from the commit on nothing retrieves, shows or quotes them.
    ///
    /// Call it before the documents' jobs are cancelled: see `awaitWriters`.
    package func delete(_ ids: [Document.ID]) throws(PostgresError) -> [Document.ID] {
        // In one order, so that two who delete the same wait for each other only once.
        let deleted = try self.ids(
            """
            WITH standing AS (
                SELECT id FROM documents
                WHERE tenant_id = \(Tenant.only) AND id = ANY(\(ids.map(\.rawValue))::uuid[])
                  AND deleted_at IS NULL ORDER BY id FOR UPDATE)
            UPDATE documents SET deleted_at = now(), title = ''
            WHERE tenant_id = \(Tenant.only) AND id IN (SELECT id FROM standing) RETURNING id
            """)
        guard !deleted.isEmpty else { return [] }
        try awaitWriters(of: deleted)
        let rawIDs = deleted.map(\.rawValue)
        try session.run(
            """
            DELETE FROM indexed_documents
            WHERE tenant_id = \(Tenant.only) AND document_id = ANY(\(rawIDs)::uuid[])
            """)
        try session.run(
            """
            UPDATE attachments SET filename = '', caption = NULL,
                error_message = CASE WHEN error_message IS NOT NULL THEN '' END
            WHERE tenant_id = \(Tenant.only) AND id = ANY(\(rawIDs)::uuid[])
            """)
        try eraseCopies(from: deleted)
        return deleted
    }

    /// The events of answers that show what some documents say, and summaries of such answers.
    private func eraseCopies(from ids: [Document.ID]) throws(PostgresError) {
        try session.run(
            """
            DELETE FROM conversation_summaries c USING message_sources s
            WHERE s.tenant_id = \(Tenant.only) AND s.document_id = ANY(\(ids.map(\.rawValue))::uuid[])
              AND c.tenant_id = s.tenant_id AND c.drawn_from @> ARRAY[s.message_id]
            """)
        try session.run(
            """
            DELETE FROM stream_frames f USING message_sources s
            WHERE s.tenant_id = \(Tenant.only) AND s.document_id = ANY(\(ids.map(\.rawValue))::uuid[])
              AND f.tenant_id = s.tenant_id AND f.message_id = s.message_id
            """)
    }

    /// The longest that a write of points begun under a lease may take.
    package static let upsertSeconds = 8

    /// Puts the erasure of tombstoned documents off until no write of their points can land any
    /// more: the lease of whoever works on them now, and the longest write after it.
    ///
    /// A statement of its own, after the tombstone's: it sees every claim whose worker saw the
    /// document alive.
    package func awaitWriters(of ids: [Document.ID]) throws(PostgresError) {
        try session.run(
            """
            UPDATE documents d SET erasable_at = (
                SELECT max(j.claimable_at)
                    + make_interval(secs => \(Self.upsertSeconds)::double precision)
                FROM jobs j WHERE j.subject = d.id::text AND j.state = 'running')
            WHERE d.tenant_id = \(Tenant.only) AND d.id = ANY(\(ids.map(\.rawValue))::uuid[])
            """)
    }

    /// Whether a worker is at one of these kinds of job about the document.
    package func isBeingWorkedOn(
        _ id: Document.ID, by kinds: [String]
    ) throws(PostgresError) -> Bool {
        try hasJob(id, of: kinds, in: ["running"])
    }

    /// The same, or one is waiting to be.
    package func hasOpenJob(_ id: Document.ID, of kinds: [String]) throws(PostgresError) -> Bool {
        try hasJob(id, of: kinds, in: ["ready", "running"])
    }

    private func hasJob(
        _ id: Document.ID, of kinds: [String], in states: [String]
    ) throws(PostgresError) -> Bool {
        try !session.run(
            """
            SELECT id FROM jobs
            WHERE subject = \(id.description) AND kind = ANY(\(kinds)::text[])
              AND state = ANY(\(states)::text[]) LIMIT 1
            """
        ).isEmpty
    }

    /// What erasing needs to know of a tombstoned document; nil when there is none.
    package func findTombstone(_ id: Document.ID) throws(PostgresError) -> Tombstone? {
        let rows = try session.run(
            """
            SELECT d.owner_user_id, a.storage_key,
                   extract(epoch FROM coalesce(d.erasable_at, d.deleted_at) - now())::float8
                       AS remaining
            FROM documents d
            LEFT JOIN attachments a ON a.tenant_id = d.tenant_id AND a.id = d.id
            WHERE d.tenant_id = \(Tenant.only) AND d.id = \(id) AND d.deleted_at IS NOT NULL
            """)
        guard let row = rows.first else { return nil }
        return Tombstone(
            owner: Owner(userID: try row.find("owner_user_id", as: User.ID.self)),
            storageKey: try row.find("storage_key"),
            remainingSeconds: try row.get("remaining", as: Double.self))
    }

    /// What a tombstoned document said, which no worker can write again.
    package func eraseText(_ id: Document.ID) throws(PostgresError) {
        let tables: [SQL] = ["indexed_documents", "chunks", "revisions", "recognised_pages"]
        for table in tables {
            try session.run(
                """
                DELETE FROM \(sql: table) WHERE tenant_id = \(Tenant.only) AND document_id = \(id)
                """)
        }
        try eraseCopies(from: [id])
    }

    /// The tombstone goes, and with it every row that belongs to the document.
    package func erase(_ id: Document.ID) throws(PostgresError) {
        try eraseText(id)
        try session.run(
            """
            DELETE FROM documents
            WHERE tenant_id = \(Tenant.only) AND id = \(id) AND deleted_at IS NOT NULL
            """)
    }

    private func ids(_ query: SQL) throws(PostgresError) -> [Document.ID] {
        var ids: [Document.ID] = []
        for row in try session.run(query) { ids.append(try row.get("id")) }
        return ids
    }
}

package struct StoredDocument: Sendable, Hashable {
    package let id: Document.ID
    package let kind: Document.Kind
    package let owner: Owner
    package let title: String
}

/// A deleted document whose points, bytes and rows are still to go.
package struct Tombstone: Sendable, Hashable {
    package let owner: Owner
    /// Of an upload.
    package let storageKey: String?
    /// How long a worker's upsert may still land; not positive when none can.
    package let remainingSeconds: Double
}
