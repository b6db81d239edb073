import Database
import Domain
import Logging
import Postgres

/// Commits a reply with its whole stream, and goes on trying for a while when Postgres is away.
struct AnswerKeeper: Sendable {
    let pool: PostgresPool
    let logger: Logger

    /// A restart of Postgres takes seconds; a client waits for `done` meanwhile.
    private static let pauses: [Duration] = [
        .milliseconds(200), .milliseconds(500), .seconds(1), .seconds(2), .seconds(4), .seconds(4),
    ]

    /// False when the reply is not kept: its conversation is gone, or Postgres stayed away.
    ///
    /// - Parameter stream: all of its events, the last ones included, and their number.
    func keep(
        _ draft: AnswerDraft.Contents, of answer: RunningAnswer, _ status: Message.Status,
        _ reason: Message.FinishReason, stream: (whole: String, count: Int), replica: String
    ) async -> Bool {
        let reply = FinishedReply(
            content: draft.text, status: status, finishReason: reason,
            promptTokenCount: draft.promptTokenCount,
            completionTokenCount: draft.completionTokenCount, usage: draft.usage,
            sources: draft.keptSources, citations: draft.citations, drawnFrom: draft.drawnFrom)
        for pause in Self.pauses {
            do {
                return try await commit(reply, of: answer, stream, replica: replica)
            } catch {
                logger.warning("reply was not kept yet", metadata: ["error": "\(error)"])
            }
            do { try await Task.sleep(for: pause) } catch { return false }
        }
        return false
    }

    private func commit(
        _ reply: FinishedReply, of answer: RunningAnswer, _ stream: (whole: String, count: Int),
        replica: String
    ) async throws -> Bool {
        try await pool.transaction { transaction in
            let store = MessageStore(transaction)
            if try store.finish(answer.id, as: reply, replica: replica, in: transaction) {
                try StreamStore(transaction).end(
                    answer.id, lastID: stream.count, frames: stream.whole, in: transaction)
                return true
            }
            // An earlier commit may have succeeded although its answer was lost.
            let stored = try store.find(answer.id, for: answer.question.principal)
            return stored?.status == reply.status && stored?.content == reply.content
        }
    }
}
