package import Domain
package import Postgres

/// What of uploads should be in object storage, and what is left of deleted ones.
package struct StoredBytesStore {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    /// Uploads in the order of their keys, those after one; also those that are being erased.
    package func list(
        after key: String?, limit: Int
    ) throws(PostgresError) -> [StoredUpload] {
        let rows = try session.run(
            """
            SELECT a.id, a.storage_key, d.deleted_at IS NOT NULL AS is_deleted FROM attachments a
            JOIN documents d ON d.tenant_id = a.tenant_id AND d.id = a.id
            WHERE a.storage_key COLLATE "C" > \(key ?? "")
            ORDER BY a.storage_key COLLATE "C" LIMIT \(limit)
            """)
        var uploads: [StoredUpload] = []
        for row in rows {
            uploads.append(
                StoredUpload(
                    id: try row.get("id"), key: try row.get("storage_key"),
                    isDeleted: try row.get("is_deleted")))
        }
        return uploads
    }

    /// Tombstones that no job is taking away, in the order of ids, those after one.
    package func listUnfinishedDeletions(
        after id: Document.ID?, limit: Int
    ) throws(PostgresError) -> [Document.ID] {
        let rows = try session.run(
            """
            SELECT d.id FROM documents d
            WHERE d.tenant_id = \(Tenant.only) AND d.deleted_at IS NOT NULL
              AND d.id > \(id ?? Document.ID(rawValue: Tenant.only.rawValue))
              AND NOT EXISTS (
                  SELECT FROM jobs j WHERE j.subject = d.id::text
                    AND j.kind = \(EraseDocumentJob.kind) AND j.state IN ('ready', 'running'))
            ORDER BY d.id LIMIT \(limit)
            """)
        var ids: [Document.ID] = []
        for row in rows { ids.append(try row.get("id")) }
        return ids
    }

    package func deletionCount() throws(PostgresError) -> Int {
        try session.run(
            """
            SELECT count(*) AS total FROM documents
            WHERE tenant_id = \(Tenant.only) AND deleted_at IS NOT NULL
            """
        ).first?.get("total") ?? 0
    }
}

/// An upload and where its bytes should be.
package struct StoredUpload: Sendable, Hashable {
    package let id: Attachment.ID
    package let key: String
    /// Its bytes may be gone already.
    package let isDeleted: Bool
}
