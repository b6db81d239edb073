import Database
import Domain
import Logging
import NIOCore
import Postgres

/// Ends the answers of replicas that died: what their viewers had seen is kept as incomplete, and
/// those who wait get an end.
struct TakeOver: Sendable {
    let pool: PostgresPool
    let replica: String
    let leaseSeconds: Int
    let interval: Duration
    let logger: Logger

    /// Events that one maker of an answer can number. The next one's begin after them, so that no
    /// client saw a greater id than the event that ends its stream has.
    static let eventCountMax = 1_000_000
    /// At one look.
    private static let countMax = 100
    private static let concurrency = 4
    /// A look that takes longer, or comes later, shows that leases may not be renewed either.
    private static let lookMax: Duration = .seconds(1)

    func run() async {
        // When Postgres was away, nobody could renew a lease: the living get the time to do so first.
        var reachableSince = ContinuousClock.now
        var isMore = false
        while !Task.isCancelled {
            let pause = isMore ? .zero : interval
            let began = ContinuousClock.now
            // Cancellation ends the sleep and with it the loop.
            do { try await Task.sleep(for: pause) } catch { return }
            isMore = false
            do {
                let abandoned = try await pool.read(deadline: .seconds(5)) {
                    try MessageStore($0).abandoned(limit: Self.countMax)
                }
                if began.duration(to: .now) > pause + Self.lookMax { reachableSince = .now }
                guard reachableSince.duration(to: .now) >= .seconds(leaseSeconds) else { continue }
                let endedCount = await end(abandoned)
                isMore = abandoned.count == Self.countMax && endedCount > 0
            } catch {
                reachableSince = .now
                logger.info("abandoned answers stay open", metadata: ["error": "\(error)"])
            }
        }
    }

    /// A few at a time; one that cannot be ended keeps no other from it. Returns how many were.
    private func end(_ ids: [Message.ID]) async -> Int {
        await withTaskGroup(of: Bool.self) { group in
            var endedCount = 0
            for (index, id) in ids.shuffled().enumerated() {
                if index >= Self.concurrency, await group.next() == true { endedCount += 1 }
                group.addTask { await self.isEnded(id) }
            }
            for await isEnded in group where isEnded { endedCount += 1 }
            return endedCount
        }
    }

    private func isEnded(_ id: Message.ID) async -> Bool {
        do {
            return try await end(id)
        } catch {
            logger.error(
                "an abandoned answer cannot be ended",
                metadata: ["message.id": "\(id)", "error": "\(error)"])
            return false
        }
    }

    /// False when somebody else was faster.
    private func end(_ id: Message.ID) async throws -> Bool {
        let isEnded = try await pool.transaction { transaction in
            let messages = MessageStore(transaction)
            guard
                let abandoned = try messages.takeOver(
                    id, replica: replica, leaseSeconds: leaseSeconds)
            else { return false }
            let streams = StreamStore(transaction)
            let frames = Self.connected(try streams.rows(of: id, after: 0, limit: .max))
            // `try?`: what cannot be read says nothing, and the answer ends all the same.
            let said = (try? StoredFrames.said(in: frames)) ?? StoredFrames.Said()
            let reply = Self.reply(of: abandoned, said: said)
            guard
                try messages.finish(id, as: reply, replica: replica, in: transaction)
            else { return false }
            let ending = try Self.ending(abandoned, isFirst: frames.isEmpty)
            try streams.end(
                id, lastID: ending.lastID, frames: frames + ending.frames, in: transaction)
            return true
        }
        if isEnded {
            logger.warning(
                "ended an answer whose replica died", metadata: ["message.id": "\(id)"])
        }
        return isEnded
    }

    /// Up to the first that is missing: a crash of the database may have taken some.
    private static func connected(_ rows: [StreamStore.Row]) -> String {
        var frames = ""
        var lastID = 0
        for row in rows {
            guard row.firstID == lastID + 1 else { break }
            frames += row.frames
            lastID = row.lastID
        }
        return frames
    }

    /// - Parameter isFirst: nothing comes before it, so that it says what every stream begins with.
    private static func ending(
        _ abandoned: MessageStore.Abandoned, isFirst: Bool
    ) throws -> (frames: String, lastID: Int) {
        var lastID = (abandoned.attempt - 1) * eventCountMax
        var frames = ""
        var events = AnswerEvent.ending(abandoned.id, .error, .shuttingDown)
        if isFirst {
            let meta = AnswerEvent.Meta(
                conversationID: abandoned.conversation.description,
                messageID: abandoned.id.description, title: abandoned.title)
            events.insert(.meta(meta), at: 0)
        }
        for event in events {
            lastID += 1
            frames += String(buffer: try event.frame(id: lastID))
        }
        return (frames, lastID)
    }

    private static func reply(
        of abandoned: MessageStore.Abandoned, said: StoredFrames.Said
    ) -> FinishedReply {
        FinishedReply(
            content: said.text, status: .incomplete, finishReason: .error,
            usage: (0, AnswerDraft.tokenCount(ofCharacters: said.text.count)),
            citations: said.citations.compactMap { citation in
                guard let source = abandoned.sources[citation.sourceIndex] else { return nil }
                return FinishedReply.Citation(
                    marker: citation.marker, sourceIndex: citation.sourceIndex,
                    sentence: citation.sentence,
                    quote: citation.quote(in: source),
                    isVerified: citation.verified)
            }, drawnFrom: abandoned.drawnFrom)
    }
}
