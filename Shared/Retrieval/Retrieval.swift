import Database
package import Domain
package import Logging
package import ModelEndpoint
package import Postgres
package import Qdrant
import TextAnalysis

/// A question and a principal in, ranked chunks out.
///
/// The vector engine proposes; Postgres says what may be used, under the principal's scope and the
/// asked generation. Without the engine Postgres searches its own text; without the embedding
/// model the lexical half of the engine answers. Both are said to be degraded.
package struct Retrieval: Sendable {
    let qdrant: Qdrant
    let models: ModelEndpoint
    let pool: PostgresPool
    let fusion: Fusion
    /// Nil where no such model is configured.
    let reranker: Reranker?
    let logger: Logger

    package init(
        qdrant: Qdrant, models: ModelEndpoint, pool: PostgresPool, fusion: Fusion = .tuned,
        reranker: Reranker? = nil, logger: Logger
    ) {
        self.qdrant = qdrant
        self.models = models
        self.pool = pool
        self.fusion = fusion
        self.reranker = reranker
        self.logger = logger
    }

    /// Throws `PostgresError` when Postgres is away: then nothing may be answered.
    ///
    /// - Parameter attachments: searched first, and each represented in the result even when it
    ///   is not about the question. Those the principal may not see give nothing.
    package func search(
        _ question: String, for principal: Principal, in generation: Generation,
        sources: Set<SourceKind> = Set(SourceKind.allCases),
        attachments: [Attachment.ID]? = nil, topK: Int
    ) async throws -> RetrievalResult {
        let search = Search(
            question: question, principal: principal, generation: generation, sources: sources,
            attachments: attachments ?? [], topK: topK, fusion: fusion)
        if search.isEmpty { return RetrievalResult(chunks: [], isDegraded: false) }
        let (dense, isWithoutMeaning) = try await embedded(search)
        let proposals = try await proposals(search, dense: dense)
        let found =
            if let proposals {
                try await found(search, of: proposals)
            } else {
                try await foundByFullText(search)
            }
        let (ranked, isUnranked) = try await reranked(found, for: search)
        return RetrievalResult(
            chunks: Merging.merged(
                attachments: ranked.attachments + found.beginnings, others: ranked.others,
                topK: search.topK),
            isDegraded: proposals == nil || isWithoutMeaning || isUnranked)
    }

    /// The question's vector, made by the model that the generation was made for.
    func embedded(_ search: Search) async throws -> (vector: [Float]?, isAway: Bool) {
        let text = String(search.question.prefix(Search.embeddedLengthMax))
        if text.allSatisfy(\.isWhitespace) { return (nil, false) }
        let index = search.generation.index
        do {
            let embeddings = try await models.embed(
                [text], as: .question, model: index.questionModel,
                expecting: index.dimensionCount, namesSize: index.namesSize,
                deadline: Search.embeddingDeadline)
            return (embeddings.vectors.first, false)
        } catch .cancelled {
            throw CancellationError()
        } catch {
            logger.warning(
                "question is searched without its embedding", metadata: ["error": "\(error)"])
            return (nil, true)
        }
    }

    /// What the engine proposes, or nil when it is away.
    private func proposals(_ search: Search, dense: [Float]?) async throws -> Proposals? {
        do {
            let answers = try await qdrant.query(
                search.queries(dense: dense), in: search.generation.collection)
            return Proposals(
                everything: answers[0], attachments: answers.count > 1 ? answers[1] : [],
                isMeaningKnown: dense != nil)
        } catch .cancelled {
            throw CancellationError()
        } catch {
            logger.warning(
                "question is searched in Postgres alone", metadata: ["error": "\(error)"])
            return nil
        }
    }

    private func found(_ search: Search, of proposals: Proposals) async throws -> Found {
        let (everything, named, beginnings) = try await pool.read { session in
            let store = ChunkStore(session)
            let number = search.generation.number
            return (
                try store.find(
                    proposals.everything.map(\.chunkID), for: search.principal, in: number,
                    sources: search.sources),
                try store.find(
                    proposals.attachments.map(\.chunkID), for: search.principal, in: number,
                    documents: search.documents),
                try search.beginnings(session)
            )
        }
        let others = search.relevant(
            proposals.everything.compactMap { candidate in
                everything[candidate.chunkID].map { (candidate, $0) }
            }, isMeaningKnown: proposals.isMeaningKnown)
        let attached = proposals.attachments.compactMap { candidate in
            named[candidate.chunkID].map { RetrievedChunk($0, score: candidate.score) }
        }
        return Found(attachments: attached, beginnings: beginnings, others: others)
    }

    private func foundByFullText(_ search: Search) async throws -> Found {
        let (everything, named, beginnings) = try await pool.read { session in
            let store = ChunkStore(session)
            return (
                try store.search(
                    anyOf: search.terms, for: search.principal, in: search.generation.number,
                    sources: search.sources, limit: search.candidateCount),
                search.attachments.isEmpty
                    ? []
                    : try store.search(
                        anyOf: search.terms, for: search.principal,
                        in: search.generation.number, documents: search.documents,
                        limit: search.candidateCount),
                try search.beginnings(session)
            )
        }
        return Found(
            attachments: search.rankedByWords(named), beginnings: beginnings,
            others: search.relevantByWords(everything))
    }

    /// In the order of the reranking model, if there is one. It is away: the order stays, and that is
    /// said.
    private func reranked(
        _ found: Found, for search: Search
    ) async throws -> (Found, isUnranked: Bool) {
        let all = found.attachments + found.others
        guard let reranker, all.count > 1, !search.question.allSatisfy(\.isWhitespace) else {
            return (found, false)
        }
        var texts: [Chunk.ID: String] = [:]
        for chunk in all { texts[chunk.chunk.id] = chunk.chunk.embeddedText }
        let ids = Array(texts.keys)
        do {
            let scores = try await reranker.scores(
                of: ids.compactMap { texts[$0] },
                for: String(search.question.prefix(Search.embeddedLengthMax)),
                deadline: Search.rerankingDeadline)
            let score = Dictionary(uniqueKeysWithValues: zip(ids, scores))
            return (found.ranked { score[$0] ?? 0 }, false)
        } catch .cancelled {
            throw CancellationError()
        } catch {
            logger.warning("chunks are not reranked", metadata: ["error": "\(error)"])
            return (found, true)
        }
    }
}

/// What may be used, by the ways it was found, each best first.
private struct Found {
    var attachments: [RetrievedChunk]
    let beginnings: [RetrievedChunk]
    var others: [RetrievedChunk]

    func ranked(by score: (Chunk.ID) -> Double) -> Found {
        func ranked(_ chunks: [RetrievedChunk]) -> [RetrievedChunk] {
            let scored = chunks.map { chunk in
                var chunk = chunk
                chunk.score = score(chunk.chunk.id)
                return chunk
            }
            return scored.sorted { $0.score > $1.score }
        }
        return Found(
            attachments: ranked(attachments), beginnings: beginnings, others: ranked(others))
    }
}

private struct Proposals {
    let everything: [Candidate]
    let attachments: [Candidate]
    let isMeaningKnown: Bool
}
