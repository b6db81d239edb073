import Database
import Domain
import FoundationEssentials
import Logging
import Postgres
import Qdrant
import Retrieval

/// Compares a generation that is ready with the live one: what they hold, and what they answer.
struct GenerationChecking: Sendable {
    let pool: PostgresPool
    let qdrant: Qdrant
    let comparison: GenerationComparison
    let logger: Logger

    /// Questions are not asked again before, while something else stands in the way.
    private static let overlapSecondsMax = 600
    /// Counting a million chunks takes seconds.
    private static let countingDeadline = Duration.seconds(120)

    /// - Parameter last: what an earlier check found.
    func check(
        _ next: Generation, beside live: Generation, last: GenerationCheck?
    ) async throws -> GenerationCheck {
        let now = Int(Date().timeIntervalSince1970)
        let check = GenerationCheck(
            checkedAt: now, live: try await counts(of: live), next: try await counts(of: next),
            questions: try await overlap(next, live, last: last?.questions, now: now))
        logger.info("index generation was compared with the live one", metadata: Self.fields(check))
        return check
    }

    /// Postgres first: what is written meanwhile is more than was expected, and not less.
    private func counts(of generation: Generation) async throws -> GenerationCheck.Counts {
        let shown = try await pool.read(deadline: Self.countingDeadline) {
            try GenerationContentStore($0).counts(of: generation)
        }
        return GenerationCheck.Counts(
            documents: shown.documentCount, chunks: shown.chunkCount,
            points: try await qdrant.count(in: generation.collection),
            pointsExpected: shown.vectorCount)
    }

    private func overlap(
        _ next: Generation, _ live: Generation, last: AnswerOverlap?, now: Int
    ) async throws -> AnswerOverlap {
        if let last, !last.isNextModelAway, now - last.askedAt < Self.overlapSecondsMax {
            return last
        }
        let questions = try await pool.read {
            try QuestionSampleStore($0).newest(GenerationComparison.questionCountMax)
        }
        return try await comparison.overlap(of: questions, live: live, next: next, now: now)
    }

    private static func fields(_ check: GenerationCheck) -> Logger.Metadata {
        let questions = check.questions
        return [
            "live.documents": "\(check.live.documents)", "live.points": "\(check.live.points)",
            "next.documents": "\(check.next.documents)", "next.points": "\(check.next.points)",
            "next.points_expected": "\(check.next.pointsExpected)",
            "questions.compared": "\(questions.compared)",
            "questions.document_overlap":
                "\(questions.documentOverlap.map { "\($0)" } ?? "none")",
        ]
    }
}
