package import Domain
package import Postgres

/// Uploads. An attachment is also a document of the same id; a tombstoned one is not found here.
package struct AttachmentStore {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    /// A new one, with its document. The bytes are in storage already.
    package func insert(_ new: NewAttachment) throws(PostgresError) -> Attachment {
        try DocumentStore(session).insert(
            Document.ID(rawValue: new.id.rawValue), kind: .upload, owner: new.owner,
            title: new.filename)
        let rows = try session.run(
            """
            INSERT INTO attachments
                (tenant_id, id, owner_user_id, filename, content_type, byte_count, sha256,
                 storage_key)
            VALUES (\(Tenant.only), \(new.id), \(new.owner.userID), \(new.filename),
                    \(new.contentType), \(new.byteCount), \(new.sha256), \(new.storageKey))
            RETURNING created_at, sequence
            """)
        guard let row = rows.first else { throw .undecodable(column: "sequence") }
        return Attachment(
            id: new.id, owner: new.owner, filename: new.filename, contentType: new.contentType,
            byteCount: new.byteCount, sha256: new.sha256, storageKey: new.storageKey,
            status: .queued, failure: nil, caption: nil, chunkCount: 0, pageCount: nil,
            createdAt: try row.get("created_at"), sequence: try row.get("sequence"))
    }

    /// The caller's own, or a shared one.
    package func find(
        _ id: Attachment.ID, for principal: Principal
    ) throws(PostgresError) -> Attachment? {
        try find([id], for: principal).first
    }

    /// Those of them that the caller may see, in the order of arrival.
    package func find(
        _ ids: [Attachment.ID], for principal: Principal
    ) throws(PostgresError) -> [Attachment] {
        if ids.isEmpty { return [] }
        return try attachments(
            """
            SELECT \(sql: Self.columns) FROM attachments a
            JOIN documents d ON d.tenant_id = a.tenant_id AND d.id = a.id
            WHERE \(sql: Visibility.documents(for: principal, alias: "d"))
              AND a.id = ANY(\(ids.map(\.rawValue))::uuid[])
            ORDER BY a.sequence
            """)
    }

    /// Whoever's it is: for the workers.
    package func find(_ id: Attachment.ID) throws(PostgresError) -> Attachment? {
        try attachments(
            """
            SELECT \(sql: Self.columns) FROM attachments a
            JOIN documents d ON d.tenant_id = a.tenant_id AND d.id = a.id
            WHERE a.tenant_id = \(Tenant.only) AND a.id = \(id) AND d.deleted_at IS NULL
            """
        ).first
    }

    /// Newest first.
    ///
    /// - Parameter before: the sequence of the last one of the page before.
    package func list(
        for principal: Principal, sources: Set<SourceKind>, limit: Int, offset: Int,
        before: Int?
    ) throws(PostgresError) -> [Attachment] {
        try attachments(
            """
            SELECT \(sql: Self.columns) FROM attachments a
            JOIN documents d ON d.tenant_id = a.tenant_id AND d.id = a.id
            WHERE \(sql: Visibility.documents(for: principal, alias: "d", sources: sources))
              AND (\(before)::bigint IS NULL OR a.sequence < \(before)::bigint)
            ORDER BY a.sequence DESC LIMIT \(limit) OFFSET \(offset)
            """)
    }

    package func count(
        for principal: Principal, sources: Set<SourceKind>
    ) throws(PostgresError) -> Int {
        let rows = try session.run(
            """
            SELECT count(*) AS total FROM attachments a
            JOIN documents d ON d.tenant_id = a.tenant_id AND d.id = a.id
            WHERE \(sql: Visibility.documents(for: principal, alias: "d", sources: sources))
            """)
        return try rows.first?.get("total") ?? 0
    }

    /// Those of these keys that an attachment's bytes are stored under, whoever's it is; also of one
    /// that is being erased.
    package func storageKeys(among keys: [String]) throws(PostgresError) -> Set<String> {
        var found: Set<String> = []
        for row in try session.run(
            "SELECT storage_key FROM attachments WHERE storage_key = ANY(\(keys)::text[])")
        {
            found.insert(try row.get("storage_key"))
        }
        return found
    }

    /// Being indexed, for the first time or again.
    package func setProcessing(_ id: Attachment.ID) throws(PostgresError) {
        try set(id, status: .processing, failure: nil)
    }

    /// Searchable, or kept without text.
    package func setIndexed(
        _ id: Attachment.ID, chunkCount: Int, pageCount: Int?
    ) throws(PostgresError) {
        try set(id, status: chunkCount > 0 ? .indexed : .stored, failure: nil)
        try session.run(
            """
            UPDATE attachments SET chunk_count = \(chunkCount), page_count = \(pageCount)
            WHERE tenant_id = \(Tenant.only) AND id = \(id)
            """)
    }

    /// What a model says is on the picture.
    package func setCaption(_ id: Attachment.ID, _ caption: String) throws(PostgresError) {
        try session.run(
            """
            UPDATE attachments SET caption = \(caption)
            WHERE tenant_id = \(Tenant.only) AND id = \(id)
            """)
    }

    package func setFailed(
        _ id: Attachment.ID, _ failure: Attachment.Failure
    ) throws(PostgresError) {
        try set(id, status: .failed, failure: failure)
    }

    /// What indexing again was to replace is still shown, and reads as it did. False when nothing of
    /// it is shown.
    package func setShown(_ id: Attachment.ID) throws(PostgresError) -> Bool {
        try !session.run(
            """
            UPDATE attachments a SET error_code = NULL, error_message = NULL,
                status = CASE WHEN a.chunk_count > 0 THEN 'indexed' ELSE 'stored' END
            FROM indexed_documents i JOIN generations g ON g.number = i.generation
            WHERE a.tenant_id = \(Tenant.only) AND a.id = \(id) AND g.state = 'live'
              AND i.tenant_id = a.tenant_id AND i.document_id = a.id
            RETURNING a.id
            """
        ).isEmpty
    }

    private func set(
        _ id: Attachment.ID, status: Attachment.Status, failure: Attachment.Failure?
    ) throws(PostgresError) {
        try session.run(
            """
            UPDATE attachments SET
                status = \(status), error_code = \(failure?.code),
                error_message = \(failure?.message)
            WHERE tenant_id = \(Tenant.only) AND id = \(id)
            """)
    }

    private static let columns: SQL = """
        a.id, a.owner_user_id, a.filename, a.content_type, a.byte_count, a.sha256, a.storage_key,
        a.status, a.error_code, a.error_message, a.caption, a.chunk_count, a.page_count,
        a.created_at, a.sequence
        """

    private func attachments(_ sql: SQL) throws(PostgresError) -> [Attachment] {
        var attachments: [Attachment] = []
        for row in try session.run(sql) { attachments.append(try Attachment(row)) }
        return attachments
    }
}

/// What an upload brings; the rest is Postgres's to say.
package struct NewAttachment: Sendable {
    package let id: Attachment.ID
    package let owner: Owner
    package let filename: String
    package let contentType: String
    package let byteCount: Int
    package let sha256: [UInt8]
    package let storageKey: String

    package init(
        id: Attachment.ID, owner: Owner, filename: String, contentType: String, byteCount: Int,
        sha256: [UInt8], storageKey: String
    ) {
        self.id = id
        self.owner = owner
        self.filename = filename
        self.contentType = contentType
        self.byteCount = byteCount
        self.sha256 = sha256
        self.storageKey = storageKey
    }
}

extension Attachment {
    /// From a row with the columns of `attachments`.
    package init(_ row: Row) throws(PostgresError) {
        var failure: Failure?
        if let code = try row.find("error_code", as: String.self) {
            failure = Failure(code: code, message: try row.get("error_message"))
        }
        self.init(
            id: try row.get("id"),
            owner: Owner(userID: try row.find("owner_user_id", as: User.ID.self)),
            filename: try row.get("filename"), contentType: try row.get("content_type"),
            byteCount: try row.get("byte_count"), sha256: try row.get("sha256"),
            storageKey: try row.get("storage_key"), status: try row.get("status"),
            failure: failure, caption: try row.find("caption"),
            chunkCount: try row.get("chunk_count"), pageCount: try row.find("page_count"),
            createdAt: try row.get("created_at"), sequence: try row.get("sequence"))
    }
}
