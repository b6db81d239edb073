import Database
import Domain
import Logging
import Postgres

/// Writes what is new of all this replica's streams, in one statement every tenth of a second. The
/// streams do not wait for it.
struct FrameFlusher: Sendable {
    let running: RunningAnswers
    let pool: PostgresPool
    let replica: String
    let interval: Duration
    /// An answer that has more than this unsaved, while Postgres takes nothing of it for a few seconds,
    /// ends as not saved.
    let unsavedByteCountMax: Int
    let logger: Logger

    /// Of one statement; what is beyond goes into the next.
    private static let byteCountMax = 4 << 20
    /// How long Postgres may take nothing of an answer that has too much unsaved.
    private static let stallMax: Duration = .seconds(3)
    /// So many times too much is not waited for.
    private static let burstFactor = 16

    func run() async {
        var failureCount = 0
        while !Task.isCancelled {
            // Cancellation ends the sleep and with it the loop.
            do { try await Task.sleep(for: interval * min(1 << failureCount, 16)) } catch { return }
            do {
                while try await flush() {}
                failureCount = 0
            } catch {
                failureCount = min(failureCount + 1, 4)
                logger.warning("streams are not saved", metadata: ["error": "\(error)"])
            }
            for answer in running.all where holdsTooMuch(answer.log) {
                answer.stop.set(.unsaved)
            }
        }
    }

    /// A burst is none: Postgres has not taken anything for a while either.
    private func holdsTooMuch(_ log: EventLog) -> Bool {
        let (byteCount, since) = log.unsaved
        if byteCount <= unsavedByteCountMax { return false }
        return since.duration(to: .now) > Self.stallMax
            || byteCount > unsavedByteCountMax * Self.burstFactor
    }

    /// True when there is more.
    private func flush() async throws -> Bool {
        var pieces: [StreamStore.Piece] = []
        var drafts: [(answer: RunningAnswer, contents: AnswerDraft.Contents)] = []
        var byteCount = 0
        var hasMore = false
        for answer in running.all {
            guard let piece = answer.log.unsaved(of: answer.id) else { continue }
            byteCount += piece.frames.utf8.count
            if byteCount > Self.byteCountMax && !pieces.isEmpty {
                hasMore = true
                break
            }
            pieces.append(piece)
            // After its frames were taken: those that show sources are remembered with them.
            if let contents = answer.draft.unremembered { drafts.append((answer, contents)) }
        }
        if pieces.isEmpty { return false }
        let kept = try await pool.read(deadline: .seconds(5)) { [pieces, drafts] session in
            var unremembered: Set<Message.ID> = []
            for (answer, contents) in drafts {
                let isRemembered = try MessageStore(session).remember(
                    contents.keptSources, drawnFrom: contents.drawnFrom, of: answer.id,
                    replica: replica)
                if isRemembered {
                    answer.draft.change { $0.isRemembered = true }
                } else {
                    unremembered.insert(answer.id)
                }
            }
            // What shows sources is kept with them, or the next time.
            let ready = pieces.filter { !unremembered.contains($0.message) }
            return try StreamStore(session).add(ready, replica: replica)
        }
        for piece in pieces where kept.contains(piece.message) {
            running.find(piece.message)?.log.markSaved(through: piece.lastID)
        }
        return hasMore && !kept.isEmpty
    }
}
