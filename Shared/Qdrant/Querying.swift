import Domain
import NIOHTTP1

extension Qdrant {
    package func query(
        _ query: HybridQuery, in collection: String, deadline: Duration = .seconds(3)
    ) async throws(QdrantError) -> [Candidate] {
        try await self.query([query], in: collection, deadline: deadline)[0]
    }

    /// Answers in the order of the queries, all by one request. Beside the fused ranking the
    /// engine is asked for each half's own, whose scores fusion forgets.
    package func query(
        _ queries: [HybridQuery], in collection: String, deadline: Duration = .seconds(3)
    ) async throws(QdrantError) -> [[Candidate]] {
        var searches: [Search] = []
        for query in queries where !query.isEmpty { searches += Search.all(of: query) }
        if searches.isEmpty { return queries.map { _ in [] } }
        let found: [Found] = try await call(
            .POST, path(collection, "/points/query/batch"), deadline: deadline,
            attemptCountMax: 2, body: Searches(searches: searches))
        guard found.count == searches.count else { throw .undecodable }
        var rest = found[...]
        return queries.map { query in
            if query.isEmpty { return [] }
            let count = Search.count(for: query)
            defer { rest = rest.dropFirst(count) }
            return candidates(of: query, Array(rest.prefix(count)))
        }
    }

    /// The first answer is the ranking, the last ones are the halves.
    private func candidates(of query: HybridQuery, _ found: [Found]) -> [Candidate] {
        let dense = query.dense == nil ? [:] : found[found.count == 1 ? 0 : 1].scores
        let sparse = query.sparse.isEmpty ? [:] : found[found.count - 1].scores
        return found[0].points.map {
            Candidate(
                chunkID: $0.id, score: $0.score, denseScore: dense[$0.id],
                sparseScore: sparse[$0.id])
        }
    }
}

private struct Searches: Encodable {
    let searches: [Search]
}

/// One search of a batch.
private struct Search: Encodable {
    var prefetch: [Prefetch]?
    var query: Query
    var using: String?
    var filter: Filter?
    var limit: Int

    /// Both halves: fused, dense, sparse. One half: itself.
    static func count(for query: HybridQuery) -> Int {
        query.dense != nil && !query.sparse.isEmpty ? 3 : 1
    }

    static func all(of query: HybridQuery) -> [Search] {
        let filter = Filter(
            for: query.principal, sources: query.sources, documents: query.documents)
        let prefetchLimit = Fusion.prefetchLimit(for: query.limit)
        var legs: [Prefetch] = []
        if let dense = query.dense {
            legs.append(
                Prefetch(
                    query: .dense(dense), using: VectorName.dense, filter: filter,
                    limit: prefetchLimit))
        }
        if !query.sparse.isEmpty {
            legs.append(
                Prefetch(
                    query: .sparse(query.sparse), using: VectorName.sparse, filter: filter,
                    limit: prefetchLimit))
        }
        let limit = legs.count == 1 ? query.limit : prefetchLimit
        let alone = legs.map {
            Search(query: $0.query, using: $0.using, filter: filter, limit: limit)
        }
        if legs.count == 1 { return alone }
        return [Search(prefetch: legs, query: .fusion, limit: query.limit)] + alone
    }
}

private struct Prefetch: Encodable {
    let query: Query
    let using: String
    let filter: Filter
    let limit: Int
}

private enum Query: Encodable {
    case dense([Float])
    case sparse(SparseVector)
    case fusion

    private struct ReciprocalRanks: Encodable {
        struct Settings: Encodable {
            let k: Int
            let weights: [Double]
        }
        let rrf: Settings
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .dense(let vector): try container.encode(vector)
        case .sparse(let vector): try container.encode(vector)
        case .fusion:
            try container.encode(
                ReciprocalRanks(
                    rrf: .init(k: Fusion.k, weights: [Fusion.denseWeight, Fusion.sparseWeight])))
        }
    }
}

private struct Found: Decodable {
    struct Point: Decodable {
        let id: Chunk.ID
        let score: Double
    }
    let points: [Point]

    var scores: [Chunk.ID: Double] {
        Dictionary(points.map { ($0.id, $0.score) }, uniquingKeysWith: max)
    }
}
