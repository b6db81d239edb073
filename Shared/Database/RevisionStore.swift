package import Domain
internal import FoundationEssentials
package import Postgres

/// Revisions and their chunks. Both are immutable: the same id is the same content.
package struct RevisionStore {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    package func exists(_ id: Revision.ID) throws(PostgresError) -> Bool {
        try !session.run(
            "SELECT id FROM revisions WHERE tenant_id = \(Tenant.only) AND id = \(id)"
        ).isEmpty
    }

    /// With all its chunks. One that is there already stays.
    package func insert(_ revision: NewRevision, chunks: [NewChunk]) throws(PostgresError) {
        let inserted = try session.run(
            """
            INSERT INTO revisions
                (tenant_id, id, document_id, content_hash, chunking_version, text)
            VALUES (\(Tenant.only), \(revision.id), \(revision.documentID),
                    \(revision.contentHash), \(revision.chunkingVersion), \(revision.text))
            ON CONFLICT (tenant_id, id) DO NOTHING RETURNING id
            """)
        guard !inserted.isEmpty else { return }
        for start in stride(from: 0, to: chunks.count, by: Self.batchSize) {
            let batch = chunks[start..<min(start + Self.batchSize, chunks.count)]
            try insert(batch.map(ChunkRow.init), of: revision)
        }
    }

    /// Rows in one statement.
    private static let batchSize = 200

    private func insert(
        _ rows: [ChunkRow], of revision: NewRevision
    ) throws(PostgresError) {
        try session.run(
            """
            INSERT INTO chunks
                (tenant_id, id, revision_id, document_id, ordinal, text, page, span_start,
                 span_end, boxes, heading_path, language, text_hash, search)
            SELECT \(Tenant.only), r.id, \(revision.id), \(revision.documentID), r.ordinal,
                   r.text, r.page, r.span_start, r.span_end, r.boxes,
                   ARRAY(SELECT jsonb_array_elements_text(r.heading_path)), r.language,
                   decode(r.text_hash, 'hex'), to_tsvector('simple', r.search)
            FROM jsonb_to_recordset(\(JSON(rows))) AS r(
                id uuid, ordinal int, text text, page int, span_start int, span_end int,
                boxes jsonb, heading_path jsonb, language text, text_hash text, search text)
            """)
    }

    /// In order.
    package func chunks(of revision: Revision.ID) throws(PostgresError) -> [StoredChunk] {
        let rows = try session.run(
            """
            SELECT id, ordinal, text, page, span_start, span_end, boxes, heading_path, language,
                   text_hash
            FROM chunks WHERE tenant_id = \(Tenant.only) AND revision_id = \(revision)
            ORDER BY ordinal
            """)
        var chunks: [StoredChunk] = []
        for row in rows {
            chunks.append(
                StoredChunk(chunk: try Chunk(row), textHash: try row.get("text_hash")))
        }
        return chunks
    }

    /// A document's revisions that no generation shows.
    package func listUnshown(of document: Document.ID) throws(PostgresError) -> [Revision.ID] {
        let rows = try session.run(
            """
            SELECT r.id FROM revisions r
            WHERE r.tenant_id = \(Tenant.only) AND r.document_id = \(document)
              AND NOT EXISTS (
                  SELECT FROM indexed_documents i
                  WHERE i.tenant_id = r.tenant_id AND i.revision_id = r.id)
              AND NOT EXISTS (
                  SELECT FROM training_sync_pages p
                  WHERE p.tenant_id = r.tenant_id AND p.revision_id = r.id)
            """)
        var ids: [Revision.ID] = []
        for row in rows { ids.append(try row.get("id")) }
        return ids
    }

    /// Where points of a document may stand that are not shown there: its revisions, and collections
    /// of generations that show another of them or none. Not those that a sync is about to show.
    package func listStray(
        of document: Document.ID
    ) throws(PostgresError) -> [(revision: Revision.ID, collection: String)] {
        let rows = try session.run(
            """
            SELECT r.id, g.collection FROM revisions r CROSS JOIN generations g
            WHERE r.tenant_id = \(Tenant.only) AND r.document_id = \(document)
              AND g.state <> 'dropped'
              AND NOT EXISTS (
                  SELECT FROM indexed_documents i
                  WHERE i.tenant_id = r.tenant_id AND i.revision_id = r.id
                    AND i.generation = g.number)
              AND NOT EXISTS (
                  SELECT FROM training_sync_pages p
                  WHERE p.tenant_id = r.tenant_id AND p.revision_id = r.id)
            """)
        var stray: [(revision: Revision.ID, collection: String)] = []
        for row in rows { stray.append((try row.get("id"), try row.get("collection"))) }
        return stray
    }

    /// Documents that the live generation shows, with revisions that none shows, by their ids: what a
    /// generation that is gone left behind.
    package func listReplaced(
        after document: Document.ID?, limit: Int
    ) throws(PostgresError) -> [Document.ID] {
        let rows = try session.run(
            """
            SELECT DISTINCT r.document_id AS id FROM revisions r
            JOIN indexed_documents l ON l.tenant_id = r.tenant_id
              AND l.document_id = r.document_id
              AND l.generation = (SELECT number FROM generations WHERE state = 'live')
            WHERE r.tenant_id = \(Tenant.only)
              AND (\(document)::uuid IS NULL OR r.document_id > \(document))
              AND NOT EXISTS (
                  SELECT FROM indexed_documents i
                  WHERE i.tenant_id = r.tenant_id AND i.revision_id = r.id)
              AND NOT EXISTS (
                  SELECT FROM training_sync_pages p
                  WHERE p.tenant_id = r.tenant_id AND p.revision_id = r.id)
            ORDER BY r.document_id LIMIT \(limit)
            """)
        var ids: [Document.ID] = []
        for row in rows { ids.append(try row.get("id")) }
        return ids
    }

    /// Nothing happens to one that is shown again: its rows hold it.
    package func delete(_ id: Revision.ID) throws(PostgresError) {
        try session.run(
            """
            DELETE FROM revisions r WHERE r.tenant_id = \(Tenant.only) AND r.id = \(id)
              AND NOT EXISTS (
                  SELECT FROM indexed_documents i
                  WHERE i.tenant_id = r.tenant_id AND i.revision_id = r.id)
            """)
    }
}

package struct NewRevision: Sendable {
    package let id: Revision.ID
    package let documentID: Document.ID
    package let contentHash: [UInt8]
    package let chunkingVersion: String
    package let text: String

    package init(
        documentID: Document.ID, contentHash: [UInt8], chunkingVersion: String, text: String
    ) {
        id = Revision.id(
            document: documentID, contentHash: contentHash, chunkingVersion: chunkingVersion)
        self.documentID = documentID
        self.contentHash = contentHash
        self.chunkingVersion = chunkingVersion
        self.text = text
    }
}

package struct NewChunk: Sendable {
    package let chunk: Chunk
    /// SHA-256 of the embedded text.
    package let textHash: [UInt8]
    /// The terms that full text search matches, divided by spaces.
    package let searchText: String

    package init(chunk: Chunk, textHash: [UInt8], searchText: String) {
        self.chunk = chunk
        self.textHash = textHash
        self.searchText = searchText
    }
}

package struct StoredChunk: Sendable {
    package let chunk: Chunk
    package let textHash: [UInt8]
}

private struct ChunkRow: Codable, Sendable {
    let id: Chunk.ID
    let ordinal: Int
    let text: String
    let page: Int?
    let spanStart: Int
    let spanEnd: Int
    let boxes: [LineBox]?
    let headingPath: [String]
    let language: String
    let textHash: String
    let search: String

    /// The columns' names.
    enum CodingKeys: String, CodingKey {
        case id, ordinal, text, page, boxes, language, search
        case spanStart = "span_start"
        case spanEnd = "span_end"
        case headingPath = "heading_path"
        case textHash = "text_hash"
    }

    init(_ new: NewChunk) {
        id = new.chunk.id
        ordinal = new.chunk.ordinal
        text = new.chunk.text
        page = new.chunk.page
        spanStart = new.chunk.span.lowerBound
        spanEnd = new.chunk.span.upperBound
        boxes = new.chunk.boxes.isEmpty ? nil : new.chunk.boxes
        headingPath = new.chunk.headingPath
        language = new.chunk.language.rawValue
        textHash = hexadecimal(new.textHash)
        search = new.searchText
    }
}

extension Chunk {
    /// From a row with the columns of `chunks`.
    init(_ row: Row) throws(PostgresError) {
        let start = try row.get("span_start", as: Int.self)
        let end = try row.get("span_end", as: Int.self)
        guard start <= end else { throw .undecodable(column: "span_end") }
        self.init(
            id: try row.get("id"), ordinal: try row.get("ordinal"), text: try row.get("text"),
            page: try row.find("page"), span: start..<end,
            headingPath: try row.get("heading_path"), language: try row.get("language"),
            boxes: try row.find("boxes", as: JSON<[LineBox]>.self)?.value ?? [])
    }
}
