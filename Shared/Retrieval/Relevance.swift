/// When a chunk is about a question at all. Nearest neighbours always exist; answers do not.
package enum Relevance {
    /// What the two halves of the index say of a chunk.
    package struct Evidence: Sendable, Hashable {
        /// Cosine; nil when the dense half did not see it.
        package let cosine: Double?
        /// Share of the question's words that stand in the chunk, 0…1.
        package let overlap: Double

        package init(cosine: Double?, overlap: Double) {
            self.cosine = cosine
            self.overlap = overlap
        }
    }

    /// Meaning alone suffices.
    package static let cosineAlone = 0.85
    /// Meaning suffices if words agree.
    package static let cosineWithWords = 0.80
    package static let overlapWithMeaning = 0.3
    /// Words suffice where meaning could not be asked.
    package static let overlapAlone = 0.5

    package static func isRelevant(_ evidence: Evidence) -> Bool {
        guard let cosine = evidence.cosine else { return evidence.overlap >= overlapAlone }
        return cosine >= cosineAlone
            || (cosine >= cosineWithWords && evidence.overlap >= overlapWithMeaning)
    }
}
