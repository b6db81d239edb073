package import Domain
package import Postgres

/// A chunk a reader may see, with where it comes from.
package struct ShownChunk: Sendable {
    package let chunk: Chunk
    package let documentID: Document.ID
    package let kind: Document.Kind
    package let title: String
    /// Of an upload.
    package let filename: String?
    /// Of a page of the training materials: where it is in its repository, and its address.
    package let path: String?
    package let url: String?
    package let tags: [String]
}

extension ShownChunk {
    /// Neighbours as one; nil when they are not.
    static func joined(_ parts: [ShownChunk]) -> ShownChunk? {
        guard let first = parts.first, let chunk = Chunk.joined(parts.map(\.chunk)) else {
            return nil
        }
        return ShownChunk(
            chunk: chunk, documentID: first.documentID, kind: first.kind, title: first.title,
            filename: first.filename, path: first.path, url: first.url,
            tags: first.tags)
    }
}

/// Chunks by their ids, under the scope of whoever reads them.
package struct SourceStore {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    /// Whether the chunk `k` of document `d` may be shown: the document is visible, and the chunk
    /// belongs to a revision of it that still answers questions.
    static func isShown(to principal: Principal) -> SQL {
        """
        \(sql: Visibility.documents(for: principal)) AND EXISTS (
            SELECT FROM indexed_documents i
            WHERE i.tenant_id = k.tenant_id AND i.document_id = k.document_id
              AND i.revision_id = k.revision_id)
        """
    }

    /// Neighbouring chunks as one source: the first, and how many.
    package struct Run: Sendable, Hashable {
        package let first: Chunk.ID
        package let count: Int
    }

    /// Runs that may be shown, each of them whole.
    package func find(
        _ runs: Set<Run>, for principal: Principal
    ) throws(PostgresError) -> [Run: ShownChunk] {
        guard !runs.isEmpty else { return [:] }
        let wanted = Array(runs)
        let rows = try session.run(
            """
            SELECT part.*, run.id AS first_id, run.count AS wanted_count
            FROM unnest(\(wanted.map(\.first.rawValue)), \(wanted.map(\.count))) AS run (id, count)
            JOIN chunks first ON first.tenant_id = \(principal.tenant) AND first.id = run.id
            JOIN LATERAL (
                \(sql: Self.selection)
                WHERE k.tenant_id = first.tenant_id AND k.revision_id = first.revision_id
                  AND k.ordinal >= first.ordinal AND k.ordinal < first.ordinal + run.count
                  AND \(sql: Self.isShown(to: principal))
            ) AS part ON true
            ORDER BY run.id, run.count, part.ordinal
            """)
        var parts: [Run: [ShownChunk]] = [:]
        for row in rows {
            let run = Run(first: try row.get("first_id"), count: try row.get("wanted_count"))
            parts[run, default: []].append(try Self.shownChunk(row))
        }
        var found: [Run: ShownChunk] = [:]
        for (run, parts) in parts where parts.count == run.count {
            found[run] = ShownChunk.joined(parts)
        }
        return found
    }

    /// The chunks just before and after one, of the same revision, in order.
    package func around(
        _ id: Chunk.ID, chunkCount: Int, for principal: Principal
    ) throws(PostgresError) -> [ShownChunk] {
        try list(
            """
            \(sql: Self.selection)
            JOIN chunks middle ON middle.tenant_id = k.tenant_id AND middle.id = \(id)
              AND middle.revision_id = k.revision_id
            WHERE k.tenant_id = \(principal.tenant)
              AND k.ordinal BETWEEN middle.ordinal - \(chunkCount) AND middle.ordinal + \(chunkCount)
              AND \(sql: Self.isShown(to: principal))
            ORDER BY k.ordinal
            """)
    }

    /// The beginnings of some uploads in a generation, the first chunk of each before any second.
    package func beginnings(
        of attachments: [Attachment.ID], in generation: Int, chunkCountMax: Int,
        for principal: Principal
    ) throws(PostgresError) -> [ShownChunk] {
        try list(
            """
            \(sql: Self.selection)
            JOIN indexed_documents n ON n.tenant_id = k.tenant_id AND n.document_id = k.document_id
              AND n.revision_id = k.revision_id AND n.generation = \(generation)
            WHERE k.tenant_id = \(principal.tenant)
              AND k.document_id = ANY(\(attachments.map(\.rawValue)))
              AND \(sql: Visibility.documents(for: principal))
            ORDER BY k.ordinal, k.document_id LIMIT \(chunkCountMax)
            """)
    }

    private func list(_ query: SQL) throws(PostgresError) -> [ShownChunk] {
        var chunks: [ShownChunk] = []
        for row in try session.run(query) { chunks.append(try Self.shownChunk(row)) }
        return chunks
    }

    static let selection: SQL = """
        SELECT k.id, k.ordinal, k.text, k.page, k.span_start, k.span_end, k.boxes, k.heading_path,
               k.language, k.document_id, d.kind, d.title, a.filename, t.path, t.url,
               coalesce(t.tags, '{}') AS tags
        FROM chunks k
        JOIN documents d ON d.tenant_id = k.tenant_id AND d.id = k.document_id
        LEFT JOIN attachments a ON a.tenant_id = d.tenant_id AND a.id = d.id
        LEFT JOIN training_pages t ON t.tenant_id = d.tenant_id AND t.document_id = d.id
        """

    static func shownChunk(_ row: Row) throws(PostgresError) -> ShownChunk {
        ShownChunk(
            chunk: try Chunk(row), documentID: try row.get("document_id"),
            kind: try row.get("kind"),
            title: try row.get("title"), filename: try row.find("filename"),
            path: try row.find("path"), url: try row.find("url"),
            tags: try row.get("tags"))
    }
}
