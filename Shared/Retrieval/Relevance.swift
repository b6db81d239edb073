/// When chunks are about a question at all. Nearest neighbours always exist; answers do not.
///
/// Cosines of a question with chunks in its own language are higher than with chunks in another,
/// whether they answer it or not: so each has a threshold of its own. They are calibrated, and
/// reported, by `make eval`; see decision 14.
package struct Relevance: Sendable, Hashable {
    /// What the two halves of the index say of a chunk.
    package struct Evidence: Sendable, Hashable {
        /// Cosine; nil when the dense half did not see it.
        package let cosine: Double?
        /// Share of the question's words that stand in the chunk, 0…1.
        package let overlap: Double
        /// The chunk is in another language than the question.
        package let isForeign: Bool

        package init(cosine: Double?, overlap: Double, isForeign: Bool = false) {
            self.cosine = cosine
            self.overlap = overlap
            self.isForeign = isForeign
        }
    }

    /// From where on meaning alone suffices.
    struct Thresholds: Sendable, Hashable {
        let own: Double
        let foreign: Double
    }

    /// Nil: unknown for this model, and not asked for.
    let cosineMin: Thresholds?

    /// Words suffice where most of them stand: half is "president" of another republic.
    static let overlapMin = 0.6
    /// What is further than this below the threshold, and shares no word, is left out even if
    /// others are about the question.
    static let cosineMargin = 0.04

    /// By the embedding model, since no two models' cosines compare.
    package init(model: String) {
        let name = model.lowercased()
        if name.contains("e5") {
            cosineMin = Thresholds(own: 0.832, foreign: 0.792)
        } else if name.contains("text-embedding-3") {
            // Not measured by us: unrelated texts are commonly found below it.
            cosineMin = Thresholds(own: 0.2, foreign: 0.2)
        } else {
            cosineMin = nil
        }
    }

    /// Which of the chunks to keep. None, when none is about the question.
    ///
    /// - Parameter isMeaningKnown: false when the question could not be embedded, so that words
    ///   are all there is.
    package func kept(_ evidence: [Evidence], isMeaningKnown: Bool) -> [Bool] {
        guard isMeaningKnown else {
            return evidence.map { $0.overlap >= Self.overlapMin / 2 }
        }
        guard let cosineMin else { return evidence.map { _ in true } }
        let isNear = { (evidence: Evidence, margin: Double) in
            let threshold = evidence.isForeign ? cosineMin.foreign : cosineMin.own
            return (evidence.cosine ?? 0) >= threshold - margin
        }
        let isAnswerable = evidence.contains { isNear($0, 0) || $0.overlap >= Self.overlapMin }
        guard isAnswerable else { return evidence.map { _ in false } }
        return evidence.map { $0.overlap > 0 || isNear($0, Self.cosineMargin) }
    }
}
