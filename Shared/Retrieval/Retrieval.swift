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
    let logger: Logger

    package init(
        qdrant: Qdrant, models: ModelEndpoint, pool: PostgresPool, fusion: Fusion = .tuned,
        logger: Logger
    ) {
        self.qdrant = qdrant
        self.models = models
        self.pool = pool
        self.fusion = fusion
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
        guard let proposals = try await proposals(search, dense: dense) else {
            return RetrievalResult(
                chunks: try await chunksByFullText(search), isDegraded: true)
        }
        return RetrievalResult(
            chunks: try await chunks(search, of: proposals), isDegraded: isWithoutMeaning)
    }

    /// The question's vector, made by the model that the generation was made for.
    func embedded(_ search: Search) async throws -> (vector: [Float]?, isAway: Bool) {
        let text = String(search.question.prefix(Search.embeddedLengthMax))
        if text.allSatisfy(\.isWhitespace) { return (nil, false) }
        let index = search.generation.index
        do {
            let embeddings = try await models.embed(
                [text], as: .question, model: index.questionModel,
                expecting: index.dimensionCount, deadline: Search.embeddingDeadline)
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

    private func chunks(
        _ search: Search, of proposals: Proposals
    ) async throws -> [RetrievedChunk] {
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
        return Merging.merged(
            attachments: attached + beginnings, others: others, topK: search.topK)
    }

    private func chunksByFullText(_ search: Search) async throws -> [RetrievedChunk] {
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
        let others = search.relevantByWords(everything)
        return Merging.merged(
            attachments: search.rankedByWords(named) + beginnings, others: others,
            topK: search.topK)
    }
}

private struct Proposals {
    let everything: [Candidate]
    let attachments: [Candidate]
    let isMeaningKnown: Bool
}
