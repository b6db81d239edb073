/// How the two halves' rankings become one.
package enum Fusion {
    /// Reciprocal rank fusion's constant: a first place counts 1/k. The customary 60 is made for
    /// rankings of hundreds; ours are 40 long, and a lower one lets the first places speak.
    package static let k = 20

    /// The dense half knows meaning in every language; words are the better witness only where
    /// names and numbers decide.
    package static let denseWeight = 1.0
    package static let sparseWeight = 0.6

    /// Each half proposes more than is wanted, since Postgres may refuse some, and since what is
    /// second in both should beat what is first in one.
    package static func prefetchLimit(for limit: Int) -> Int { max(40, limit * 2) }
}
