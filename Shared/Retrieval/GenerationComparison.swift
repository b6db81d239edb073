package import Database
package import Domain

/// How far two generations find the same, each asked with its own model.
///
/// Every question is searched as its asker would search it, so that what only some may read counts
/// where it counts. Of questions and findings nothing is kept but figures.
package struct GenerationComparison: Sendable {
    let retrieval: Retrieval

    /// Questions compared at most, and chunks of each that count.
    package static let questionCountMax = 20
    private static let topK = 10
    /// For all of them: a model on one core takes a tenth of a second for a question.
    private static let secondsMax = 60
    /// Any text will do.
    private static let probe = "energy"

    package init(_ retrieval: Retrieval) { self.retrieval = retrieval }

    /// - Parameter now: Unix seconds.
    package func overlap(
        of questions: [SampleQuestion], live: Generation, next: Generation, now: Int
    ) async throws -> AnswerOverlap {
        let isLiveModelAway = try await !canEmbed(live)
        let isNextModelAway = try await !canEmbed(next)
        var shares: [Shares] = []
        if !isLiveModelAway && !isNextModelAway {
            let end = ContinuousClock.now + .seconds(Self.secondsMax)
            for question in questions.prefix(Self.questionCountMax) where .now < end {
                if let share = try await agreement(of: question, live, next) {
                    shares.append(share)
                }
            }
        }
        let isCutAlike = live.index.chunkingVersion == next.index.chunkingVersion
        return AnswerOverlap(
            askedAt: now, sampled: questions.count, compared: shares.count, topK: Self.topK,
            documentOverlap: Self.mean(shares.map(\.documents)),
            chunkOverlap: isCutAlike ? Self.mean(shares.map(\.chunks)) : nil,
            isLiveModelAway: isLiveModelAway, isNextModelAway: isNextModelAway)
    }

    private struct Shares {
        let documents: Double
        let chunks: Double
    }

    private func canEmbed(_ generation: Generation) async throws -> Bool {
        let search = Search(
            question: Self.probe, principal: Principal(user: User.ID(rawValue: "")),
            generation: generation, sources: [], attachments: [], topK: 1,
            fusion: retrieval.fusion)
        return try await retrieval.embedded(search).vector != nil
    }

    /// Nil when a model did not answer this once.
    private func agreement(
        of question: SampleQuestion, _ live: Generation, _ next: Generation
    ) async throws -> Shares? {
        do {
            let before = try await found(question, in: live)
            let after = try await found(question, in: next)
            return Shares(
                documents: Self.share(Set(before.map(\.documentID)), Set(after.map(\.documentID))),
                chunks: Self.share(Set(before.map(\.chunk.id)), Set(after.map(\.chunk.id))))
        } catch RankingFailure.embeddingModelAway {
            return nil
        }
    }

    private func found(
        _ question: SampleQuestion, in generation: Generation
    ) async throws -> [RetrievedChunk] {
        try await retrieval.ranking(
            of: question.text, for: question.asker, in: generation, legs: .hybrid,
            topK: Self.topK
        ).prefix(Self.topK).map(\.chunk)
    }

    /// Of what the larger found; two that find nothing agree.
    static func share<Element: Hashable>(_ one: Set<Element>, _ other: Set<Element>) -> Double {
        let count = max(one.count, other.count)
        return count == 0 ? 1 : Double(one.intersection(other).count) / Double(count)
    }

    private static func mean(_ values: [Double]) -> Double? {
        values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }
}
