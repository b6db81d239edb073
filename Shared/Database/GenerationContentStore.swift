package import Domain
package import Postgres

/// What a generation shows, measured by what the live one shows.
package struct GenerationContentStore {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    /// Documents the live generation shows and this one does not, or in another version; oldest
    /// first. Without those that have failed: they wait for somebody to look at them.
    package func listMissing(
        in generation: Int, limit: Int
    ) throws(PostgresError) -> [Document.ID] {
        let rows = try session.run(
            """
            SELECT d.id \(sql: Self.missing(in: generation))
              AND NOT \(sql: Self.hasFailed(in: generation))
            ORDER BY d.created_at, d.id LIMIT \(limit)
            """)
        var ids: [Document.ID] = []
        for row in rows { ids.append(try row.get("id")) }
        return ids
    }

    /// How many of them there are, and how many have failed besides.
    package func missing(in generation: Int) throws(PostgresError) -> MissingDocuments {
        let rows = try session.run(
            """
            SELECT count(*) FILTER (WHERE NOT \(sql: Self.hasFailed(in: generation))) AS open,
                   count(*) FILTER (WHERE i.revision_id IS NULL) AS absent,
                   count(*) FILTER (WHERE \(sql: Self.hasFailed(in: generation))) AS failed
            \(sql: Self.missing(in: generation))
            """)
        guard let row = rows.first else { throw .undecodable(column: "open") }
        return MissingDocuments(
            openCount: try row.get("open"), failedCount: try row.get("failed"),
            absentCount: try row.get("absent"))
    }

    /// Documents, chunks, and how many of those have a vector of the generation's model.
    package func counts(of generation: Generation) throws(PostgresError) -> ContentCounts {
        let rows = try session.run(
            """
            SELECT count(DISTINCT i.document_id) AS documents, count(c.id) AS chunks,
                   count(e.text_hash) AS vectors
            FROM indexed_documents i
            JOIN documents d ON d.tenant_id = i.tenant_id AND d.id = i.document_id
            LEFT JOIN chunks c ON c.tenant_id = i.tenant_id AND c.revision_id = i.revision_id
            LEFT JOIN embeddings e ON e.tenant_id = c.tenant_id AND e.text_hash = c.text_hash
              AND e.owner_key = coalesce(d.owner_user_id, '')
              AND e.model_fingerprint = \(generation.index.modelFingerprint)
            WHERE i.tenant_id = \(Tenant.only) AND i.generation = \(generation.number)
              AND d.deleted_at IS NULL
            """)
        guard let row = rows.first else { throw .undecodable(column: "documents") }
        return ContentCounts(
            documentCount: try row.get("documents"), chunkCount: try row.get("chunks"),
            vectorCount: try row.get("vectors"))
    }

    /// A version is its content: two generations may cut the same content differently.
    private static func missing(in generation: Int) -> SQL {
        """
        FROM documents d
        JOIN indexed_documents l ON l.tenant_id = d.tenant_id AND l.document_id = d.id
          AND l.generation = (SELECT number FROM generations WHERE state = 'live')
        JOIN revisions lr ON lr.tenant_id = l.tenant_id AND lr.id = l.revision_id
        LEFT JOIN indexed_documents i ON i.tenant_id = d.tenant_id AND i.document_id = d.id
          AND i.generation = \(generation)
        LEFT JOIN revisions r ON r.tenant_id = i.tenant_id AND r.id = i.revision_id
        WHERE d.tenant_id = \(Tenant.only) AND d.deleted_at IS NULL
          AND (i.revision_id IS NULL OR r.content_hash <> lr.content_hash)
        """
    }

    private static func hasFailed(in generation: Int) -> SQL {
        """
        EXISTS (
            SELECT FROM jobs j
            WHERE j.subject = d.id::text AND j.kind = \(ReindexDocumentJob.kind)
              AND j.state = 'dead' AND j.payload ->> 'generation' = \(String(generation)))
        """
    }
}

/// Documents that a generation lacks.
package struct MissingDocuments: Sendable, Hashable {
    /// On their way, or about to be.
    package let openCount: Int
    /// Given up.
    package let failedCount: Int
    /// Of both, those of which it has no older version.
    package let absentCount: Int

    package var count: Int { openCount + failedCount }
}

package struct ContentCounts: Sendable, Hashable {
    package let documentCount: Int
    package let chunkCount: Int
    /// Fewer than chunks where some did not fit the model's window.
    package let vectorCount: Int
}
