package import Domain
package import Postgres

/// Which revision of a document a generation shows: the only statement of what is visible.
package struct IndexedDocumentStore {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    package func find(
        _ document: Document.ID, in generation: Int
    ) throws(PostgresError) -> Revision.ID? {
        try session.run(
            """
            SELECT revision_id FROM indexed_documents
            WHERE tenant_id = \(Tenant.only) AND document_id = \(document)
              AND generation = \(generation)
            """
        ).first?.get("revision_id")
    }

    /// All that a generation shows, in the order of ids, those after one.
    package func list(
        in generation: Int, after id: Document.ID?, limit: Int
    ) throws(PostgresError) -> [ShownRevision] {
        let rows = try session.run(
            """
            SELECT d.id, d.kind, d.owner_user_id, i.revision_id FROM indexed_documents i
            JOIN documents d ON d.tenant_id = i.tenant_id AND d.id = i.document_id
                AND d.deleted_at IS NULL
            WHERE i.tenant_id = \(Tenant.only) AND i.generation = \(generation)
              AND i.document_id > \(id ?? Document.ID(rawValue: Tenant.only.rawValue))
            ORDER BY i.document_id LIMIT \(limit)
            """)
        var shown: [ShownRevision] = []
        for row in rows {
            shown.append(
                ShownRevision(
                    document: try row.get("id"), kind: try row.get("kind"),
                    owner: Owner(userID: try row.find("owner_user_id", as: User.ID.self)),
                    revision: try row.get("revision_id")))
        }
        return shown
    }

    /// Replaces what was shown.
    package func set(
        _ document: Document.ID, in generation: Int, to revision: Revision.ID
    ) throws(PostgresError) {
        try session.run(
            """
            INSERT INTO indexed_documents (tenant_id, document_id, generation, revision_id)
            VALUES (\(Tenant.only), \(document), \(generation), \(revision))
            ON CONFLICT (tenant_id, document_id, generation) DO UPDATE SET
                revision_id = excluded.revision_id, indexed_at = now()
            """)
    }
}

/// What of a document a generation shows.
package struct ShownRevision: Sendable, Hashable {
    package let document: Document.ID
    package let kind: Document.Kind
    package let owner: Owner
    package let revision: Revision.ID

    package init(
        document: Document.ID, kind: Document.Kind, owner: Owner, revision: Revision.ID
    ) {
        self.document = document
        self.kind = kind
        self.owner = owner
        self.revision = revision
    }
}
