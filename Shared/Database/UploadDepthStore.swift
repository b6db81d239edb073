package import Domain
package import FoundationEssentials
package import Postgres

/// What the index holds of one upload, for operators.
package struct UploadDepthStore {
    private let session: Session
    private let document: Document.ID

    package init(_ session: Session, of document: Document.ID) {
        self.session = session
        self.document = document
    }

    /// What each generation that is live or being built shows of it.
    package func generations() throws(PostgresError) -> [UploadInGeneration] {
        let rows = try session.run(
            """
            SELECT g.number, g.state, g.collection, i.revision_id, i.indexed_at, r.chunking_version,
                   (SELECT count(*) FROM chunks c
                    WHERE c.tenant_id = r.tenant_id AND c.revision_id = r.id) AS chunks
            FROM generations g
            LEFT JOIN indexed_documents i ON i.tenant_id = \(Tenant.only)
                AND i.document_id = \(document) AND i.generation = g.number
            LEFT JOIN revisions r ON r.tenant_id = i.tenant_id AND r.id = i.revision_id
            WHERE g.state IN ('live', 'building') ORDER BY g.number
            """)
        var generations: [UploadInGeneration] = []
        for row in rows {
            generations.append(
                UploadInGeneration(
                    number: try row.get("number"), state: try row.get("state"),
                    collection: try row.get("collection"), revision: try row.find("revision_id"),
                    chunkingVersion: try row.find("chunking_version"),
                    indexedAt: try row.find("indexed_at"), chunkCount: try row.get("chunks")))
        }
        return generations
    }

    /// The extracted text.
    package func text(
        of revision: Revision.ID, previewCount: Int
    ) throws(PostgresError) -> UploadText? {
        let rows = try session.run(
            """
            SELECT left(text, \(previewCount)::int) AS preview, char_length(text) AS length
            FROM revisions WHERE tenant_id = \(Tenant.only) AND id = \(revision)
            """)
        guard let row = rows.first else { return nil }
        return UploadText(preview: try row.get("preview"), characterCount: try row.get("length"))
    }

    /// In the order of the text.
    package func chunks(
        of revision: Revision.ID, limit: Int, offset: Int, previewCount: Int
    ) throws(PostgresError) -> [ChunkPreview] {
        let rows = try session.run(
            """
            SELECT id, ordinal, page, heading_path, language, char_length(text) AS length,
                   left(text, \(previewCount)::int) AS preview
            FROM chunks WHERE tenant_id = \(Tenant.only) AND revision_id = \(revision)
            ORDER BY ordinal LIMIT \(limit) OFFSET \(offset)
            """)
        var chunks: [ChunkPreview] = []
        for row in rows {
            chunks.append(
                ChunkPreview(
                    id: try row.get("id"), ordinal: try row.get("ordinal"),
                    page: try row.find("page"), headingPath: try row.get("heading_path"),
                    language: try row.get("language"), characterCount: try row.get("length"),
                    preview: try row.get("preview")))
        }
        return chunks
    }
}

/// What a generation shows of an upload; no revision: nothing.
package struct UploadInGeneration: Sendable, Hashable {
    package let number: Int
    package let state: Generation.State
    package let collection: String
    package let revision: Revision.ID?
    package let chunkingVersion: String?
    package let indexedAt: Date?
    package let chunkCount: Int
}

/// The beginning of a text, and how long all of it is.
package struct UploadText: Sendable, Hashable {
    package let preview: String
    package let characterCount: Int
}

package struct ChunkPreview: Sendable, Hashable {
    package let id: Chunk.ID
    package let ordinal: Int
    package let page: Int?
    package let headingPath: [String]
    package let language: String
    package let characterCount: Int
    /// Its beginning.
    package let preview: String
}
