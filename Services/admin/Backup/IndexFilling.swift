import Database
import Domain
import Logging
import Postgres
import Qdrant
import Retrieval

/// Makes collections anew and writes into them what Postgres says they show, from the embeddings that are
/// kept there: no model is asked. For a time when nobody else writes to them.
struct IndexFilling: Sendable {
    let pool: PostgresPool
    let qdrant: Qdrant
    let logger: Logger

    private static let documentCountMax = 500

    /// Of every generation that is not given up, so that one can go back as before.
    ///
    /// - Returns: how many points were written.
    func fill() async throws -> Int {
        let generations = try await pool.read { session in
            let store = GenerationStore(session)
            return try store.list().filter {
                guard $0.state != .dropped else { return false }
                return try store.life(of: $0.number)?.isDropping == false
            }
        }
        var pointCount = 0
        for generation in generations {
            // What the engine still holds may be newer than the rows.
            try await qdrant.deleteCollection(generation.collection)
            try await qdrant.ensureCollection(
                generation.collection, dimensionCount: generation.index.dimensionCount)
            let count = try await fill(generation)
            logger.info(
                "index generation is filled",
                metadata: [
                    "generation.number": "\(generation.number)", "point.count": "\(count)",
                ])
            pointCount += count
        }
        return pointCount
    }

    private func fill(_ generation: Generation) async throws -> Int {
        var (pointCount, last) = (0, Document.ID?.none)
        var points: [Point] = []
        while true {
            let documents = try await pool.read { [last] in
                try IndexedDocumentStore($0).list(
                    in: generation.number, after: last, limit: Self.documentCountMax)
            }
            for document in documents {
                points += try await self.points(of: document, in: generation)
                while points.count >= Qdrant.upsertCountMax {
                    let batch = Array(points.prefix(Qdrant.upsertCountMax))
                    points.removeFirst(batch.count)
                    try await qdrant.upsert(batch, into: generation.collection)
                    pointCount += batch.count
                }
            }
            guard documents.count == Self.documentCountMax else { break }
            last = documents.last?.document
        }
        try await qdrant.upsert(points, into: generation.collection)
        return pointCount + points.count
    }

    /// Chunks that did not fit the model's window have no embedding, and no point.
    private func points(
        of shown: ShownRevision, in generation: Generation
    ) async throws -> [Point] {
        try await pool.read(deadline: .seconds(60)) { session in
            let chunks = try RevisionStore(session).chunks(of: shown.revision)
            let vectors = try EmbeddingStore(session).find(
                chunks.map(\.textHash), owner: shown.owner,
                modelFingerprint: generation.index.modelFingerprint)
            return chunks.compactMap { stored in
                vectors[hexadecimal(stored.textHash)].map {
                    Point(stored.chunk, dense: $0, of: shown)
                }
            }
        }
    }
}
