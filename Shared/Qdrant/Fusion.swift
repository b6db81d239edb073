/// How the rankings of one search become one, by reciprocal ranks: settings of the index.
///
/// In the engine's formula place p of a ranking of weight w counts 1 / (p / w + k - 1). A weight
/// stretches a ranking rather than scaling it: with a high k all first places count nearly alike,
/// whatever their weights, so that only a low k lets weights speak.
package struct Fusion: Sendable, Hashable {
    package let k: Int
    /// By meaning, among all chunks.
    package let dense: Double
    /// By words, among the chunks in the question's language.
    package let sparse: Double
    /// By meaning, among the chunks in other languages. It stands in for the words, which a chunk
    /// in another language cannot share: without it words push such chunks down.
    package let foreignDense: Double
    /// By words, among the chunks in other languages: names, codes and numbers are the same there.
    package let foreignSparse: Double

    /// A ranking of weight 0 is not asked for.
    package init(
        k: Int, dense: Double, sparse: Double, foreignDense: Double, foreignSparse: Double
    ) {
        self.k = k
        self.dense = dense
        self.sparse = sparse
        self.foreignDense = foreignDense
        self.foreignSparse = foreignSparse
    }

    /// What is not given is as chosen by `make eval`.
    ///
    /// - Parameter weights: in the order of the properties.
    package init(k: Int?, weights: [Double]?) {
        let tuned = Self.tuned
        let weights =
            weights.flatMap { $0.count == Self.weightCount ? $0 : nil }
            ?? [tuned.dense, tuned.sparse, tuned.foreignDense, tuned.foreignSparse]
        self.init(
            k: k ?? tuned.k, dense: weights[0], sparse: weights[1], foreignDense: weights[2],
            foreignSparse: weights[3])
    }

    private static let weightCount = 4

    /// The choice of `make eval TUNE=1` for multilingual-e5-small; see decision 14.
    package static let tuned = Fusion(
        k: 1, dense: 1, sparse: 0.7, foreignDense: 0.6, foreignSparse: 0.4)

    /// Each ranking proposes more than is wanted, since Postgres may refuse some, and since what
    /// is second in two should beat what is first in one.
    static func prefetchLimit(for limit: Int) -> Int { max(40, limit * 2) }
}
