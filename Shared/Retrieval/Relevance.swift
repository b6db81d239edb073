/// When chunks are about a question at all. Nearest neighbours always exist; answers do not.
///
/// Measured over the 43 sections of the sample materials with multilingual-e5-small, whose cosines
/// crowd together: for 36 questions about them, in the pages' language or the other, the best
/// cosine was 0.82 to 0.92 (0.81 for a mere name or code, which words find); for 36 about other
/// things 0.72 to 0.81, but for three near ones (0.82, 0.82, and 0.84 for another president). The
/// threshold lies just above the greetings (0.810).
package struct Relevance: Sendable, Hashable {
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

    /// From here on meaning alone suffices. Nil: unknown for this model, and not asked for.
    let cosineMin: Double?

    /// Words suffice where most of them stand: half is "president" of another republic.
    static let overlapMin = 0.6
    /// What is further than this below the threshold, and shares no word, is left out even if
    /// others are about the question.
    static let cosineMargin = 0.04

    /// By the embedding model, since no two models' cosines compare.
    package init(model: String) {
        let name = model.lowercased()
        if name.contains("e5") {
            cosineMin = 0.812
        } else if name.contains("text-embedding-3") {
            // Not measured by us: unrelated texts are commonly found below it.
            cosineMin = 0.2
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
        let isAnswerable = evidence.contains {
            ($0.cosine ?? 0) >= cosineMin || $0.overlap >= Self.overlapMin
        }
        guard isAnswerable else { return evidence.map { _ in false } }
        return evidence.map { $0.overlap > 0 || ($0.cosine ?? 0) >= cosineMin - Self.cosineMargin }
    }
}
