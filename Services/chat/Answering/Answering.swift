import Database
import Domain
import Logging
import Postgres
import ServiceLifecycle
import Synchronization

/// All answers being made by this replica, supervised in one group.
///
/// A request reserves a place, stores its question, starts the answer and then only views it:
/// whether the viewer stays makes no difference.
final class Answering: Service {
    private struct State {
        var active: [Message.ID: RunningAnswer] = [:]
        var reservedCount = 0
        var isClosed = false
    }

    struct Limits: Sendable {
        /// Answers at a time; each holds a connection to the model and its text.
        var answerCountMax = 1000
        var leaseSeconds = 10
        var heartbeat: Duration = .seconds(2)
        /// At shutdown, before what is still being written is ended as interrupted.
        var drain: Duration = .seconds(15)
    }

    let replica: String
    let limits: Limits
    private let writer: AnswerWriter
    /// Nil where the model is not asked for titles.
    private let titles: TitleMaker?
    private let pool: PostgresPool
    private let listener: PostgresListener
    private let logger: Logger
    private let state = Mutex(State())
    private let starts: AsyncStream<RunningAnswer>
    private let starter: AsyncStream<RunningAnswer>.Continuation

    /// After which a reply whose replica died is closed for good.
    private static let abandonedSeconds = 600

    init(
        writer: AnswerWriter, titles: TitleMaker?, pool: PostgresPool, listener: PostgresListener,
        replica: String,
        limits: Limits = Limits(), logger: Logger
    ) {
        self.writer = writer
        self.titles = titles
        self.pool = pool
        self.listener = listener
        self.replica = replica
        self.limits = limits
        self.logger = logger
        // Never full: a place is reserved before anything is started.
        (starts, starter) = AsyncStream.makeStream(
            bufferingPolicy: .bufferingOldest(limits.answerCountMax))
    }

    /// False when this replica takes no more. Who got a place starts an answer or gives it back.
    func reserve() -> Bool {
        state.withLock { state in
            let isFull = state.active.count + state.reservedCount >= limits.answerCountMax
            if state.isClosed || isFull { return false }
            state.reservedCount += 1
            return true
        }
    }

    func giveBack() { state.withLock { $0.reservedCount -= 1 } }

    /// Begins an answer whose question is stored. Its first event is there at once.
    func start(_ question: AskedQuestion) -> RunningAnswer {
        let answer = RunningAnswer(question)
        state.withLock { state in
            state.reservedCount -= 1
            state.active[answer.id] = answer
        }
        starter.yield(answer)
        return answer
    }

    func find(_ id: Message.ID) -> RunningAnswer? { state.withLock { $0.active[id] } }

    func stop(_ id: Message.ID, _ reason: StopReason) { find(id)?.stop.set(reason) }

    func run() async throws {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.renewLeases() }
            group.addTask { await self.hearCancellations() }
            group.addTask { await self.drainAtShutdown() }
            for await answer in starts {
                group.addTask {
                    let isMade = await self.writer.write(answer, replica: self.replica)
                    self.state.withLock { $0.active[answer.id] = nil }
                    if isMade, answer.question.beginsConversation {
                        await self.titles?.makeTitle(for: answer)
                    }
                }
            }
            group.cancelAll()
        }
    }

    private func hearCancellations() async {
        for await notification in listener.notifications(on: MessageStore.cancellationsChannel) {
            if let id = Message.ID(notification.payload) {
                stop(id, .cancelled)
            } else {
                await beat()
            }
        }
    }

    private func renewLeases() async {
        var count = 0
        while !Task.isCancelled {
            // Cancellation ends the sleep and with it the loop.
            do { try await Task.sleep(for: limits.heartbeat) } catch { return }
            await beat()
            count += 1
            if count % 30 == 0 { await closeAbandoned() }
        }
    }

    /// Renews the leases, and learns what was cancelled or deleted without our hearing of it.
    private func beat() async {
        let ids = state.withLock { Array($0.active.keys) }
        if ids.isEmpty { return }
        do {
            let isCancelled = try await pool.read(deadline: .seconds(5)) { session in
                try MessageStore(session).renewLeases(
                    of: ids, replica: self.replica, leaseSeconds: self.limits.leaseSeconds)
            }
            for id in ids {
                switch isCancelled[id] {
                case nil: stop(id, .gone)
                case true?: stop(id, .cancelled)
                case false?: break
                }
            }
        } catch {
            logger.warning("leases were not renewed", metadata: ["error": "\(error)"])
        }
    }

    private func closeAbandoned() async {
        do {
            try await pool.read { session in
                try MessageStore(session).closeAbandoned(afterSeconds: Self.abandonedSeconds)
            }
        } catch {
            logger.info("abandoned replies stay open", metadata: ["error": "\(error)"])
        }
    }

    /// Takes nothing new, gives what is running its time, then ends it as interrupted.
    private func drainAtShutdown() async {
        // `try?`: it throws only when we are cancelled, which ends everything anyhow.
        try? await gracefulShutdown()
        state.withLock { $0.isClosed = true }
        let end = ContinuousClock.now + limits.drain
        while isBusy, !Task.isCancelled {
            if ContinuousClock.now > end {
                for answer in state.withLock({ Array($0.active.values) }) {
                    answer.stop.set(.shuttingDown)
                }
            }
            // `try?`: being cancelled ends the loop by its condition.
            try? await Task.sleep(for: .milliseconds(50))
        }
        starter.finish()
    }

    private var isBusy: Bool {
        state.withLock { !$0.active.isEmpty || $0.reservedCount > 0 }
    }
}
