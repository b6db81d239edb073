import Database
import Domain
import Postgres
import Qdrant
import TextAnalysis

/// One question on its way through the search.
struct Search: Sendable {
    let question: String
    let principal: Principal
    let generation: Generation
    let sources: Set<SourceKind>
    let attachments: [Attachment.ID]
    let topK: Int
    let fusion: Fusion
    /// The question's.
    let language: Language
    /// Each word that says something, in every form a chunk may hold it.
    let words: [Set<String>]

    /// About 500 tokens: what embedding models of the E5 kind read.
    static let embeddedLengthMax = 2000
    /// A question takes 30 ms; behind this a person waits for nothing.
    static let embeddingDeadline: Duration = .seconds(5)
    /// Some forty texts take half a second on a card.
    static let rerankingDeadline: Duration = .seconds(3)

    init(
        question: String, principal: Principal, generation: Generation, sources: Set<SourceKind>,
        attachments: [Attachment.ID], topK: Int, fusion: Fusion
    ) {
        self.question = question
        self.principal = principal
        self.generation = generation
        self.sources = sources
        self.attachments = attachments
        self.topK = topK
        self.fusion = fusion
        language = Analyser.language(of: question)
        words = Analyser.questionWords(question)
    }

    /// Nothing is asked, of nothing.
    var isEmpty: Bool { attachments.isEmpty && question.allSatisfy(\.isWhitespace) }

    var terms: Set<String> { Set(words.joined()) }

    var documents: [Document.ID] { attachments.map { Document.ID(rawValue: $0.rawValue) } }

    /// More than is wanted, since Postgres may refuse some and relevance others.
    var candidateCount: Int { topK * 2 + 10 }

    /// Everything first; then, if any are named, the attachments alone.
    func queries(dense: [Float]?) -> [HybridQuery] {
        let everything = everything(dense: dense)
        if attachments.isEmpty { return [everything] }
        var named = everything
        named.sources = Set(SourceKind.allCases)
        named.documents = documents
        return [everything, named]
    }

    func everything(dense: [Float]?) -> HybridQuery {
        HybridQuery(
            for: principal, sources: sources, dense: dense,
            sparse: Analyser.sparse(question: question),
            language: language, fusion: fusion, limit: candidateCount)
    }

    /// In the engine's order, without what is not about the question.
    func relevant(
        _ found: [(Candidate, ShownChunk)], isMeaningKnown: Bool
    ) -> [RetrievedChunk] {
        let evidence = found.map { self.evidence($0, $1) }
        let kept = Relevance(model: generation.index.questionModel)
            .kept(evidence, isMeaningKnown: isMeaningKnown)
        return zip(found, kept).compactMap { pair, isKept in
            isKept ? RetrievedChunk(pair.1, score: pair.0.score) : nil
        }
    }

    func evidence(_ candidate: Candidate, _ shown: ShownChunk) -> Relevance.Evidence {
        Relevance.Evidence(
            cosine: candidate.denseScore, overlap: overlap(with: shown),
            isForeign: !shown.chunk.language.mayBe(language))
    }

    func relevantByWords(_ chunks: [ShownChunk]) -> [RetrievedChunk] {
        let ranked = rankedByWords(chunks)
        let kept = Relevance(model: generation.index.questionModel)
            .kept(
                ranked.map { Relevance.Evidence(cosine: nil, overlap: $0.score) },
                isMeaningKnown: false)
        return zip(ranked, kept).compactMap { $1 ? $0 : nil }
    }

    /// Postgres's rank knows no rarity of terms; how many of the question's words stand in a
    /// chunk orders better, and Postgres's order decides between equals.
    func rankedByWords(_ chunks: [ShownChunk]) -> [RetrievedChunk] {
        let scored = chunks.map { RetrievedChunk($0, score: overlap(with: $0)) }
        return scored.enumerated()
            .sorted { ($1.element.score, $0.offset) < ($0.element.score, $1.offset) }
            .map(\.element)
    }

    /// What stands for an attachment in which nothing matched.
    func beginnings(_ session: Session) throws(PostgresError) -> [RetrievedChunk] {
        if attachments.isEmpty { return [] }
        let chunks = try SourceStore(session).beginnings(
            of: attachments, in: generation.number, chunkCountMax: max(topK, attachments.count),
            for: principal)
        return chunks.map { RetrievedChunk($0, score: 0) }
    }

    private func overlap(with shown: ShownChunk) -> Double {
        Analyser.overlap(
            of: words, with: shown.chunk.embeddedText, language: shown.chunk.language)
    }
}
