package import Domain
package import Postgres

/// Chunks as answers are made from: only what the principal may see, and only what the generation
/// that is asked shows.
package struct ChunkStore {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    /// Those of the proposed chunks that may be used. The others are left out silently: deleted,
    /// replaced, or somebody else's.
    package func find(
        _ ids: [Chunk.ID], for principal: Principal, in generation: Int,
        sources: Set<SourceKind> = Set(SourceKind.allCases), documents: [Document.ID]? = nil
    ) throws(PostgresError) -> [Chunk.ID: ShownChunk] {
        guard !ids.isEmpty else { return [:] }
        let rows = try session.run(
            """
            \(sql: Self.shown(for: principal, in: generation, sources, documents))
              AND k.id = ANY(\(ids.map(\.rawValue)))
            """)
        var found: [Chunk.ID: ShownChunk] = [:]
        for row in rows {
            let shown = try SourceStore.shownChunk(row)
            found[shown.chunk.id] = shown
        }
        return found
    }

    /// Chunks that hold any of the terms, best first: the answer while the vector engine is away.
    /// The terms are the analyser's, as in the searched text that indexing wrote.
    package func search(
        anyOf terms: Set<String>, for principal: Principal, in generation: Int,
        sources: Set<SourceKind> = Set(SourceKind.allCases), documents: [Document.ID]? = nil,
        limit: Int
    ) throws(PostgresError) -> [ShownChunk] {
        guard !terms.isEmpty else { return [] }
        // The same configuration that the column is written with; it changes nothing but case.
        let query: SQL = """
            (SELECT to_tsquery('simple', string_agg(quote_literal(term), ' | '))
             FROM unnest(\(terms.sorted())) AS term)
            """
        // 1: a long chunk does not win by its length.
        let rows = try session.run(
            """
            \(sql: Self.shown(for: principal, in: generation, sources, documents))
              AND k.search @@ \(sql: query)
            ORDER BY ts_rank(k.search, \(sql: query), 1) DESC, k.id LIMIT \(limit)
            """)
        var chunks: [ShownChunk] = []
        for row in rows { chunks.append(try SourceStore.shownChunk(row)) }
        return chunks
    }

    private static func shown(
        for principal: Principal, in generation: Int, _ sources: Set<SourceKind>,
        _ documents: [Document.ID]?
    ) -> SQL {
        let narrowed: SQL =
            if let documents { "AND k.document_id = ANY(\(documents.map(\.rawValue)))" } else { "" }
        return """
            \(sql: SourceStore.selection)
            JOIN indexed_documents n ON n.tenant_id = k.tenant_id AND n.document_id = k.document_id
              AND n.revision_id = k.revision_id AND n.generation = \(generation)
            WHERE k.tenant_id = \(principal.tenant)
              AND \(sql: Visibility.documents(for: principal, alias: "d", sources: sources))
              \(sql: narrowed)
            """
    }
}
