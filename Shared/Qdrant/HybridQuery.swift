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
    /// Most candidates wanted.
    package var limit: Int

    package init(
        for principal: Principal, sources: Set<SourceKind> = Set(SourceKind.allCases),
        documents: [Document.ID]? = nil, dense: [Float]?, sparse: SparseVector, limit: Int
    ) {
        self.principal = principal
        self.sources = sources
        self.documents = documents
        self.dense = dense
        self.sparse = sparse
        self.limit = limit
    }

    /// Nothing to search for, or nowhere: the engine need not be asked.
    var isEmpty: Bool {
        sources.isEmpty || documents?.isEmpty == true || (dense == nil && sparse.isEmpty)
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
