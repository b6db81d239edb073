import Domain
import HTTPService
import Logging
import Postgres
import ServiceLifecycle
import Synchronization

/// All answers being made by this replica, supervised in one group.
///
/// A request reserves a place, stores its question, starts the answer and then only views it:
/// whether the viewer stays makes no difference.
final class Answering: Service {
    struct Limits: Sendable {
        /// Answers at a time; each holds a connection to the model and its text.
        var answerCountMax = 1000
        /// A dead replica's answers are ended by another one this long after its last heartbeat.
        var leaseSeconds = 8
        var heartbeat: Duration = .seconds(2)
        /// Between two looks for answers whose replica died.
        var sweep: Duration = .seconds(1)
        /// Between two writes of new events; what a crash may take from those who come back.
        var flush: Duration = .milliseconds(100)
        /// Of one answer, while Postgres is away.
        var unsavedByteCountMax = 256 << 10
        /// At shutdown, before what is still being written is ended as interrupted.
        var drain: Duration = .seconds(15)
    }

    let replica: String
    let limits: Limits
    private let running: RunningAnswers
    private let writer: AnswerWriter
    /// Nil where the model is not asked for titles.
    private let titles: TitleMaker?
    private let summaries: SummaryMaker
    private let leases: Leases
    private let flusher: FrameFlusher
    private let takeOver: TakeOver
    private let expiry: StreamExpiry
    private let lookBackCount = Mutex(0)
    private static let lookBackCountMax = 16
    private let starts: AsyncStream<RunningAnswer>
    private let starter: AsyncStream<RunningAnswer>.Continuation

    init(
        writer: AnswerWriter, titles: TitleMaker?, summaries: SummaryMaker, pool: PostgresPool,
        listener: PostgresListener, replica: String, limits: Limits = Limits(), logger: Logger
    ) {
        self.writer = writer
        self.titles = titles
        self.summaries = summaries
        self.replica = replica
        self.limits = limits
        running = RunningAnswers(countMax: limits.answerCountMax)
        leases = Leases(
            running: running, pool: pool, listener: listener, replica: replica,
            seconds: limits.leaseSeconds, heartbeat: limits.heartbeat, logger: logger)
        flusher = FrameFlusher(
            running: running, pool: pool, replica: replica, interval: limits.flush,
            unsavedByteCountMax: limits.unsavedByteCountMax, logger: logger)
        takeOver = TakeOver(
            pool: pool, replica: replica, leaseSeconds: limits.leaseSeconds,
            interval: limits.sweep, logger: logger)
        expiry = StreamExpiry(pool: pool, logger: logger)
        // Never full: a place is reserved before anything is started.
        (starts, starter) = AsyncStream.makeStream(
            bufferingPolicy: .bufferingOldest(limits.answerCountMax))
    }

    /// False when this replica takes no more. Who got a place starts an answer or gives it back.
    func reserve() -> Bool { running.reserve() }

    func giveBack() { running.giveBack() }

    /// Begins an answer whose question is stored. Its first event is there at once.
    func start(_ question: AskedQuestion) -> RunningAnswer {
        let answer = RunningAnswer(question)
        running.insert(answer)
        starter.yield(answer)
        return answer
    }

    func find(_ id: Message.ID) -> RunningAnswer? { running.find(id) }

    func stop(_ id: Message.ID, _ reason: StopReason) { find(id)?.stop.set(reason) }

    func run() async throws {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.leases.run() }
            group.addTask { await self.flusher.run() }
            group.addTask { await self.takeOver.run() }
            group.addTask { await self.expiry.run() }
            group.addTask { await self.tellSilences() }
            group.addTask { await self.drainAtShutdown() }
            for await answer in starts {
                group.addTask {
                    let isMade = await self.writer.write(answer, replica: self.replica)
                    self.running.remove(answer.id)
                    if isMade { await self.lookBack(at: answer) }
                }
            }
            group.cancelAll()
        }
    }

    /// Viewers of an answer that is slow to come keep their connection alive with it.
    private func tellSilences() async {
        while !Task.isCancelled {
            // Cancellation ends the sleep and with it the loop.
            do { try await Task.sleep(for: EventStream.silenceInterval) } catch { return }
            for answer in running.all { answer.log.tellSilence() }
        }
    }

    /// What is done once an answer is there, and nobody waits for.
    private func lookBack(at answer: RunningAnswer) async {
        // Beyond that it is done without: answers need the model more.
        let isAllowed = lookBackCount.withLock { count in
            if count >= Self.lookBackCountMax { return false }
            count += 1
            return true
        }
        guard isAllowed else { return }
        defer { lookBackCount.withLock { $0 -= 1 } }
        if answer.question.beginsConversation {
            await titles?.makeTitle(for: answer)
        } else {
            await summaries.extendSummary(after: answer)
        }
    }

    /// Takes nothing new, gives what is running its time, then ends it as interrupted.
    private func drainAtShutdown() async {
        // `try?`: it throws only when we are cancelled, which ends everything anyhow.
        try? await gracefulShutdown()
        running.close()
        let end = ContinuousClock.now + limits.drain
        while running.isBusy, !Task.isCancelled {
            if ContinuousClock.now > end {
                for answer in running.all { answer.stop.set(.shuttingDown) }
            }
            // `try?`: being cancelled ends the loop by its condition.
            try? await Task.sleep(for: .milliseconds(50))
        }
        starter.finish()
    }
}
