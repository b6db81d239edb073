import Database
package import Domain
import Postgres
import Qdrant

/// Which halves of the index are asked: both, or one alone to see what it is worth.
package enum Legs: String, Sendable, CaseIterable {
    case dense
    case sparse
    case hybrid
}

/// A chunk in the engine's order, and what the relevance rule would go by.
package struct RankedChunk: Sendable {
    package let chunk: RetrievedChunk
    package let evidence: Relevance.Evidence
    /// BM25; nil when the lexical half did not propose it.
    package let sparseScore: Double?
}

/// Half a search measures nothing.
package enum RankingFailure: Error {
    case embeddingModelAway
}

extension Retrieval {
    /// The engine's ranking as it is, before anything is left out: for measuring.
    package func ranking(
        of question: String, for principal: Principal, in generation: Generation, legs: Legs,
        topK: Int
    ) async throws -> [RankedChunk] {
        let search = Search(
            question: question, principal: principal, generation: generation,
            sources: Set(SourceKind.allCases), attachments: [], topK: topK,
            fusion: fusion)
        let (dense, isAway) = legs == .sparse ? (nil, false) : try await embedded(search)
        if isAway { throw RankingFailure.embeddingModelAway }
        var query = search.everything(dense: dense)
        if legs == .dense { query.sparse = SparseVector([:]) }
        let candidates = try await qdrant.query(query, in: generation.collection)
        let shown = try await pool.read { session in
            try ChunkStore(session).find(
                candidates.map(\.chunkID), for: principal, in: generation.number)
        }
        return candidates.compactMap { candidate in
            shown[candidate.chunkID].map { chunk in
                RankedChunk(
                    chunk: RetrievedChunk(chunk, score: candidate.score),
                    evidence: search.evidence(candidate, chunk),
                    sparseScore: candidate.sparseScore)
            }
        }
    }
}
