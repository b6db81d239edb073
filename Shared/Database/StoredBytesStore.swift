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

    /// All files of uploads that are not deleted.
    package func listStanding() throws(PostgresError) -> [StandingFile] {
        let pageCountMax = 10_000
        var files: [StandingFile] = []
        while true {
            let rows = try session.run(
                """
                SELECT a.id, a.storage_key, a.sha256 FROM attachments a
                JOIN documents d ON d.tenant_id = a.tenant_id AND d.id = a.id
                    AND d.deleted_at IS NULL
                WHERE a.storage_key COLLATE "C" > \(files.last?.key ?? "")
                ORDER BY a.storage_key COLLATE "C" LIMIT \(pageCountMax)
                """)
            for row in rows {
                files.append(
                    StandingFile(
                        id: try row.get("id"), key: try row.get("storage_key"),
                        sha256: try row.get("sha256")))
            }
            if rows.count < pageCountMax { return files }
        }
    }

    /// Those of some uploads that are deleted, or about to be.
    package func listDeleted(among ids: [Attachment.ID]) throws(PostgresError) -> Set<Attachment.ID>
    {
        let rows = try session.run(
            """
            SELECT wanted.id FROM unnest(\(ids.map(\.rawValue))::uuid[]) AS wanted (id)
            WHERE NOT EXISTS (
                SELECT FROM documents d
                WHERE d.tenant_id = \(Tenant.only) AND d.id = wanted.id AND d.deleted_at IS NULL)
            """)
        var deleted: Set<Attachment.ID> = []
        for row in rows { deleted.insert(try row.get("id")) }
        return deleted
    }

    /// Where a few of our files should be, the oldest and the newest: a storage that has none of
    /// them is another deployment's.
    package func listSample() throws(PostgresError) -> [String] {
        let countEach = 10
        let standing: SQL = """
            SELECT a.storage_key FROM attachments a
            JOIN documents d ON d.tenant_id = a.tenant_id AND d.id = a.id AND d.deleted_at IS NULL
            """
        let rows = try session.run(
            """
            (\(sql: standing) ORDER BY a.sequence DESC LIMIT \(countEach))
            UNION (\(sql: standing) ORDER BY a.sequence LIMIT \(countEach))
            """)
        var keys: [String] = []
        for row in rows { keys.append(try row.get("storage_key")) }
        return keys
    }

    /// Where the bytes of some uploads are now, by where they were.
    package func move(_ keys: [(from: String, to: String)]) throws(PostgresError) {
        try session.run(
            """
            UPDATE attachments a SET storage_key = moved.to_key
            FROM unnest(\(keys.map(\.from))::text[], \(keys.map(\.to))::text[])
                AS moved (from_key, to_key)
            WHERE a.storage_key = moved.from_key
            """)
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

/// What was uploaded, and where its bytes are.
package struct StandingFile: Sendable, Hashable {
    package let id: Attachment.ID
    package let key: String
    package let sha256: [UInt8]
}
