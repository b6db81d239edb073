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
    /// `QDRANT_COLLECTION`: what the names of our collections begin with.
    let collectionBase: String
    let logger: Logger

    private static let documentCountMax = 500

    /// Throws when the engine holds points in collections of this name: they may be another
    /// deployment's.
    func requireRoom() async throws {
        var filled: [String] = []
        for name in try await ownNames() where try await qdrant.count(in: name) > 0 {
            filled.append(name)
        }
        guard filled.isEmpty else { throw BackupFailure.indexExists(filled.sorted()) }
    }

    /// All collections of this name go: what they hold may be newer than the rows. Then those of every
    /// generation that is not given up come, so that one can go back as before.
    ///
    /// - Returns: how many points were written.
    func fill() async throws -> Int {
        for name in try await ownNames() { try await qdrant.deleteCollection(name) }
        let generations = try await pool.read { session in
            let store = GenerationStore(session)
            return try store.list().filter {
                guard $0.state != .dropped else { return false }
                return try store.life(of: $0.number)?.isDropping == false
            }
        }
        var pointCount = 0
        for generation in generations {
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

    private func ownNames() async throws -> [String] {
        try await qdrant.collectionNames().filter {
            Generation.isCollection($0, base: collectionBase)
        }
    }

    private func fill(_ generation: Generation) async throws -> Int {
        var (pointCount, last) = (0, Document.ID?.none)
        var waiting: [ShownChunk] = []
        while true {
            let documents = try await pool.read { [last] in
                try IndexedDocumentStore($0).list(
                    in: generation.number, after: last, limit: Self.documentCountMax)
            }
            for document in documents {
                let chunks = try await pool.read(deadline: .seconds(60)) {
                    try RevisionStore($0).chunks(of: document.revision)
                }
                for chunk in chunks {
                    waiting.append((chunk, document))
                    guard waiting.count == Qdrant.upsertCountMax else { continue }
                    pointCount += try await write(waiting, to: generation)
                    waiting = []
                }
            }
            guard documents.count == Self.documentCountMax else { break }
            last = documents.last?.document
        }
        return pointCount + (try await write(waiting, to: generation))
    }

    private typealias ShownChunk = (stored: StoredChunk, shown: ShownRevision)

    /// Chunks that did not fit the model's window have no embedding, and no point.
    ///
    /// - Returns: how many points were written.
    private func write(_ chunks: [ShownChunk], to generation: Generation) async throws -> Int {
        guard !chunks.isEmpty else { return 0 }
        let byOwner = Dictionary(grouping: chunks) { $0.shown.owner }
        let vectors = try await pool.read(deadline: .seconds(60)) { session in
            var vectors: [Owner: [String: [Float]]] = [:]
            for (owner, chunks) in byOwner {
                vectors[owner] = try EmbeddingStore(session).find(
                    chunks.map(\.stored.textHash), owner: owner,
                    modelFingerprint: generation.index.modelFingerprint)
            }
            return vectors
        }
        let points = chunks.compactMap { stored, shown in
            vectors[shown.owner]?[hexadecimal(stored.textHash)].map {
                Point(stored.chunk, dense: $0, of: shown)
            }
        }
        try await qdrant.upsert(points, into: generation.collection)
        return points.count
    }
}
