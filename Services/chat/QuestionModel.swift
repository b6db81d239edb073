import Domain
import Logging
import ModelEndpoint
import Synchronization

/// Whether questions can be embedded with the model that the live generation was made for. That one
/// is asked whatever the settings say: vectors of two models do not compare.
///
/// Without it questions are searched by their words, so it is no reason to be sent no more of them.
final class QuestionModel: Sendable {
    private struct State {
        var generation: Int?
        var lookedAt: ContinuousClock.Instant?
        var note: String?
    }

    private let models: ModelEndpoint
    private let live: LiveGeneration
    /// `OPENAI_EMBED_QUERY_MODEL`.
    private let settingsModel: String
    private let logger: Logger
    private let state = Mutex(State())

    /// A look costs an embedding of one word.
    private static let lookInterval = Duration.seconds(60)
    /// Less than a readiness check may take.
    private static let deadline = Duration.milliseconds(1500)

    init(models: ModelEndpoint, live: LiveGeneration, settingsModel: String, logger: Logger) {
        self.models = models
        self.live = live
        self.settingsModel = settingsModel
        self.logger = logger
    }

    /// What is the matter, for operators; nil when nothing is, or nothing was indexed yet.
    func note() async -> String? {
        guard let generation = await live.current() else { return nil }
        let (known, isNew) = state.withLock { state in
            let isFresh = state.lookedAt.map { .now - $0 < Self.lookInterval } ?? false
            let isNew = state.generation != generation.number
            return (isFresh && !isNew ? state : nil, isNew)
        }
        if let known { return known.note }
        let note = await look(at: generation)
        state.withLock { state in
            state = State(generation: generation.number, lookedAt: .now, note: note)
        }
        if isNew { tell(generation) }
        if let note {
            logger.warning("questions are searched by words", metadata: ["reason": "\(note)"])
        }
        return note
    }

    private func tell(_ generation: Generation) {
        guard generation.index.questionModel != settingsModel else { return }
        logger.warning(
            "the settings name another model for questions than the live index was made for",
            metadata: [
                "generation.number": "\(generation.number)",
                "generation.question_model": "\(generation.index.questionModel)",
                "settings.question_model": "\(settingsModel)",
            ])
    }

    private func look(at generation: Generation) async -> String? {
        let index = generation.index
        let subject =
            "\(index.questionModel), the question model of the live index (generation "
            + "\(generation.number))"
        do {
            _ = try await models.embed(
                ["energy"], as: .question, model: index.questionModel,
                expecting: index.dimensionCount, namesSize: index.namesSize,
                deadline: Self.deadline)
            return nil
        } catch .refused(let status, _) {
            return "the endpoint refuses \(subject): status \(status)"
        } catch .undecodable {
            return "the endpoint gives no vectors of size \(index.dimensionCount) for \(subject)"
        } catch {
            return "the endpoint does not answer for \(subject)"
        }
    }
}
