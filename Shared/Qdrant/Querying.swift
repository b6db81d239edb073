import Domain
import NIOHTTP1

extension Qdrant {
    package func query(
        _ query: HybridQuery, in collection: String, deadline: Duration = .seconds(3)
    ) async throws(QdrantError) -> [Candidate] {
        try await self.query([query], in: collection, deadline: deadline)[0]
    }

    /// Answers in the order of the queries, all by one request. Beside the fused ranking the
    /// engine is asked for each leg's own, whose scores fusion forgets.
    package func query(
        _ queries: [HybridQuery], in collection: String, deadline: Duration = .seconds(3)
    ) async throws(QdrantError) -> [[Candidate]] {
        var searches: [Search] = []
        let vector = queries.lazy.compactMap(\.dense).first
        // A number that is none has no JSON form.
        guard vector?.allSatisfy(\.isFinite) ?? true else { throw .undecodable }
        for query in queries where !query.isEmpty {
            searches += Search.all(of: query, sharing: vector)
        }
        if searches.isEmpty { return queries.map { _ in [] } }
        let found: [Found] = try await call(
            .POST, path(collection, "/points/query/batch"), deadline: deadline,
            attemptCountMax: 2, body: Searches(searches: searches), vector: vector)
        guard found.count == searches.count else { throw .undecodable }
        var rest = found[...]
        return queries.map { query in
            if query.isEmpty { return [] }
            let legs = query.legs
            // A single leg is its own ranking.
            let ranking = legs.count == 1 ? rest.first : rest.popFirst()
            defer { rest = rest.dropFirst(legs.count) }
            return candidates(in: ranking, of: legs, found: rest.prefix(legs.count))
        }
    }

    private func candidates(
        in ranking: Found?, of legs: [Leg], found: ArraySlice<Found>
    ) -> [Candidate] {
        var dense: [Chunk.ID: Double] = [:]
        var sparse: [Chunk.ID: Double] = [:]
        for (leg, found) in zip(legs, found) {
            // Several legs of one half score a chunk alike.
            switch leg.half {
            case .dense: dense.merge(found.scores) { first, _ in first }
            case .sparse: sparse.merge(found.scores) { first, _ in first }
            }
        }
        return (ranking?.points ?? []).map {
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

    init(fusing legs: [Prefetch], by fusion: Query, limit: Int) {
        prefetch = legs
        query = fusion
        self.limit = limit
    }

    init(_ leg: Prefetch, limit: Int) {
        query = leg.query
        using = leg.using
        filter = leg.filter
        self.limit = limit
    }

    /// The legs fused, then each by itself; of one leg only itself.
    static func all(of query: HybridQuery, sharing vector: [Float]?) -> [Search] {
        let limit = Fusion.prefetchLimit(for: query.limit)
        let legs = query.legs.map {
            Prefetch($0, of: query, sharing: vector, limit: limit)
        }
        if legs.count == 1 { return legs.map { Search($0, limit: query.limit) } }
        let fusion = Query.fusion(k: query.fusion.k, weights: query.legs.map(\.weight))
        return [Search(fusing: legs, by: fusion, limit: query.limit)]
            + legs.map { Search($0, limit: limit) }
    }
}

private struct Prefetch: Encodable {
    let query: Query
    let using: String
    let filter: Filter
    let limit: Int

    init(_ leg: Leg, of query: HybridQuery, sharing shared: [Float]?, limit: Int) {
        switch leg.half {
        case .dense(let vector):
            self.query = vector == shared ? .shared : .dense(vector)
            using = VectorName.dense
        case .sparse(let vector):
            self.query = .sparse(vector)
            using = VectorName.sparse
        }
        filter = Filter(
            for: query.principal, sources: query.sources, documents: query.documents,
            languages: leg.languages)
        self.limit = limit
    }
}

private enum Query: Encodable {
    case dense([Float])
    /// The dense one that several searches have in common.
    case shared
    case sparse(SparseVector)
    /// Weights in the order of the prefetches.
    case fusion(k: Int, weights: [Double])

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
        case .shared: try container.encode(SharedVector())
        case .sparse(let vector): try container.encode(vector)
        case .fusion(let k, let weights):
            try container.encode(ReciprocalRanks(rrf: .init(k: k, weights: weights)))
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
