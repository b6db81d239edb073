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
