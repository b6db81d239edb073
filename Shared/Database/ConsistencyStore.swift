package import Domain
package import FoundationEssentials
package import Postgres

/// What Postgres says should be in the other stores: page by page for comparing, and again for
/// what looked wrong. Each method is one statement, which sees one moment.
package struct ConsistencyStore {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    /// The next chunks after one, in the order of ids, of which those that a generation shows.
    ///
    /// Chunks are counted before they are narrowed, so that a page costs the same however few of
    /// them are shown.
    package func listChunks(
        shownIn generation: Domain.Generation, after id: Chunk.ID?, limit: Int
    ) throws(PostgresError) -> IndexedChunkPage {
        let after = id ?? Chunk.ID(rawValue: Tenant.only.rawValue)
        let rows = try session.run(
            """
            WITH page AS MATERIALIZED (
                SELECT tenant_id, id, revision_id, document_id, language, text_hash FROM chunks
                WHERE tenant_id = \(Tenant.only) AND id > \(after) ORDER BY id LIMIT \(limit))
            SELECT c.id, c.revision_id, c.document_id, c.language, d.kind, d.owner_user_id,
                   i.indexed_at, i.indexed_at IS NOT NULL AND d.deleted_at IS NULL AS is_shown,
                   EXISTS (
                       SELECT FROM embeddings e
                       WHERE e.tenant_id = c.tenant_id
                         AND e.owner_key = coalesce(d.owner_user_id, '')
                         AND e.model_fingerprint = \(generation.index.modelFingerprint)
                         AND e.text_hash = c.text_hash) AS has_vector
            FROM page c
            JOIN documents d ON d.tenant_id = c.tenant_id AND d.id = c.document_id
            LEFT JOIN indexed_documents i ON i.tenant_id = c.tenant_id
                AND i.document_id = c.document_id AND i.generation = \(generation.number)
                AND i.revision_id = c.revision_id
            ORDER BY c.id
            """)
        var chunks: [IndexedChunk] = []
        for row in rows where try row.get("is_shown", as: Bool.self) {
            chunks.append(try IndexedChunk(row))
        }
        let last = try rows.last?.get("id", as: Chunk.ID.self)
        return IndexedChunkPage(chunks: chunks, next: rows.count < limit ? nil : last)
    }

    /// Those of some chunks that a generation shows now, unless it is about to be dropped.
    package func findShown(
        _ ids: [Chunk.ID], in generation: Int
    ) throws(PostgresError) -> [Chunk.ID: IndexedChunk] {
        let rows = try session.run(
            """
            SELECT c.id, c.revision_id, c.document_id, c.language, d.kind, d.owner_user_id,
                   i.indexed_at, true AS has_vector
            FROM chunks c
            JOIN documents d ON d.tenant_id = c.tenant_id AND d.id = c.document_id
                AND d.deleted_at IS NULL
            JOIN indexed_documents i ON i.tenant_id = c.tenant_id
                AND i.document_id = c.document_id AND i.generation = \(generation)
                AND i.revision_id = c.revision_id
            JOIN generations g ON g.number = i.generation AND g.state <> 'dropped'
            WHERE c.tenant_id = \(Tenant.only) AND c.id = ANY(\(ids.map(\.rawValue))::uuid[])
              AND NOT (g.state = 'retired' AND EXISTS (
                  SELECT FROM jobs j WHERE j.kind = \(DropGenerationJob.kind)
                    AND j.subject = 'generation ' || g.number AND j.state IN ('ready', 'running')))
            """)
        var shown: [Chunk.ID: IndexedChunk] = [:]
        for row in rows {
            let chunk = try IndexedChunk(row)
            shown[chunk.id] = chunk
        }
        return shown
    }

    /// Those of some points that nothing shows in a generation, brings into it or takes out of it:
    /// no row, no sync that is going on, no deletion, no job. With the document each is of.
    ///
    /// - Parameter kinds: of jobs that count.
    package func findUnexplained(
        _ points: [SuspectedPoint], in generation: Int, heeding kinds: [String]
    ) throws(PostgresError) -> [PointID: Document.ID] {
        let none = Tenant.only.rawValue
        let rows = try session.run(
            """
            SELECT k.position, k.document_id FROM (
                SELECT p.position, c.revision_id, c.tenant_id,
                       coalesce(c.document_id, p.document_id) AS document_id
                FROM unnest(\(points.map { $0.id.uuid ?? none })::uuid[],
                            \(points.map(\.document.rawValue))::uuid[])
                    WITH ORDINALITY AS p(id, document_id, position)
                LEFT JOIN chunks c ON c.tenant_id = \(Tenant.only) AND c.id = p.id) k
            WHERE NOT EXISTS (
                SELECT FROM indexed_documents i
                WHERE i.tenant_id = k.tenant_id AND i.document_id = k.document_id
                  AND i.generation = \(generation) AND i.revision_id = k.revision_id)
              AND NOT EXISTS (
                SELECT FROM training_sync_pages s
                WHERE s.tenant_id = \(Tenant.only) AND s.document_id = k.document_id)
              AND NOT EXISTS (
                SELECT FROM documents d
                WHERE d.tenant_id = \(Tenant.only) AND d.id = k.document_id
                  AND d.deleted_at IS NOT NULL)
              AND NOT EXISTS (
                SELECT FROM jobs j
                WHERE j.subject = k.document_id::text AND j.kind = ANY(\(kinds)::text[])
                  AND j.state IN ('ready', 'running'))
            """)
        var unexplained: [PointID: Document.ID] = [:]
        for row in rows {
            let point = points[try row.get("position", as: Int.self) - 1]
            unexplained[point.id] = try row.get("document_id")
        }
        return unexplained
    }
}

/// A chunk that a generation shows, as its point should describe it.
package struct IndexedChunk: Sendable, Hashable {
    package let id: Chunk.ID
    package let revision: Revision.ID
    package let document: Document.ID
    package let owner: Owner
    package let kind: Document.Kind
    package let language: Language
    /// Changes whenever the document is shown anew.
    package let indexedAt: Date
    /// Whether its vector by the generation's model is in Postgres.
    package let hasVector: Bool

    init(_ row: Row) throws(PostgresError) {
        id = try row.get("id")
        revision = try row.get("revision_id")
        document = try row.get("document_id")
        owner = Owner(userID: try row.find("owner_user_id", as: User.ID.self))
        kind = try row.get("kind")
        language = try row.get("language")
        indexedAt = try row.get("indexed_at")
        hasVector = try row.get("has_vector")
    }
}

package struct IndexedChunkPage: Sendable {
    package let chunks: [IndexedChunk]
    /// After which the next page begins; nil when this is the last.
    package let next: Chunk.ID?
}

/// A point that no chunk seems to have.
package struct SuspectedPoint: Sendable, Hashable {
    package let id: PointID
    /// The one its payload names; one that names none is a document of its own.
    package let document: Document.ID

    package init(id: PointID, document: Document.ID?) {
        self.id = id
        self.document =
            document ?? Document.ID(rawValue: id.uuid ?? Tenant.only.rawValue)
    }
}
