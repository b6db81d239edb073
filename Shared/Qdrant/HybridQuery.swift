package import Domain

/// A search of both halves of the index at once, fused by reciprocal ranks.
///
/// It cannot be made without a principal: a search without a scope does not compile.
package struct HybridQuery: Sendable {
    package let principal: Principal
    package var sources: Set<SourceKind>
    /// Only within these; nil is no such limit.
    package var documents: [Document.ID]?
    /// Nil when the question could not be embedded: the lexical half alone answers.
    package var dense: [Float]?
    package var sparse: SparseVector
    /// The question's. Undecided: all chunks are taken to be in it.
    package var language: Language
    package var fusion: Fusion
    /// Most candidates wanted.
    package var limit: Int

    package init(
        for principal: Principal, sources: Set<SourceKind> = Set(SourceKind.allCases),
        documents: [Document.ID]? = nil, dense: [Float]?, sparse: SparseVector,
        language: Language = .other, fusion: Fusion = .tuned, limit: Int
    ) {
        self.principal = principal
        self.sources = sources
        self.documents = documents
        self.dense = dense
        self.sparse = sparse
        self.language = language
        self.fusion = fusion
        self.limit = limit
    }

    /// Nothing to search for, or nowhere: the engine need not be asked.
    var isEmpty: Bool {
        sources.isEmpty || documents?.isEmpty == true || (dense == nil && sparse.isEmpty)
    }

    /// The rankings to be fused. Where words or meaning are all there is, their own scores compare
    /// better than ranks do.
    var legs: [Leg] {
        guard let dense else { return [Leg(.sparse(sparse), weight: 1)] }
        let everything = Leg(.dense(dense), weight: fusion.dense)
        if sparse.isEmpty { return [everything] }
        let foreign = Language.allCases.filter { !$0.mayBe(language) }
        if foreign.isEmpty {
            // A question in no language is a name, a code or a number: the same word everywhere.
            let weight = fusion.sparse + fusion.foreignSparse
            return [everything, Leg(.sparse(sparse), weight: weight)]
        }
        let own = Language.allCases.filter { $0.mayBe(language) }
        return [
            everything, Leg(.sparse(sparse), in: own, weight: fusion.sparse),
            Leg(.dense(dense), in: foreign, weight: fusion.foreignDense),
            Leg(.sparse(sparse), in: foreign, weight: fusion.foreignSparse),
        ].filter { $0.weight > 0 }
    }
}

/// One ranking of a search: by which half of the index, and among chunks in which languages.
struct Leg: Sendable {
    enum Half: Sendable {
        case dense([Float])
        case sparse(SparseVector)
    }

    let half: Half
    /// Nil: in any.
    let languages: [Language]?
    let weight: Double

    init(_ half: Half, in languages: [Language]? = nil, weight: Double) {
        self.half = half
        self.languages = languages
        self.weight = weight
    }
}

/// What the engine proposes. Nothing of it is shown before Postgres has confirmed it.
package struct Candidate: Sendable, Hashable {
    package let chunkID: Chunk.ID
    /// The fused one; comparable within one answer only.
    package let score: Double
    /// Cosine of question and chunk; nil when the dense half did not propose it.
    package let denseScore: Double?
    /// BM25; nil when the lexical half did not propose it.
    package let sparseScore: Double?

    package init(
        chunkID: Chunk.ID, score: Double, denseScore: Double? = nil, sparseScore: Double? = nil
    ) {
        self.chunkID = chunkID
        self.score = score
        self.denseScore = denseScore
        self.sparseScore = sparseScore
    }
}
