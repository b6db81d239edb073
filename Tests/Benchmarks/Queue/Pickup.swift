import ArgumentParser
import JobQueue
import Logging
import Postgres
import ServiceLifecycle
import Synchronization

/// Enqueues at a steady rate, and measures from asking for a job until its handler runs.
struct Pickup: AsyncParsableCommand {
    @OptionGroup var database: BenchmarkDatabase
    @Option(help: "Jobs a second.") var rate = 200
    @Option var seconds = 5
    @Option(help: "Jobs that one worker runs at once.") var concurrency = 4

    private struct Report: Encodable {
        let latenciesMs: [Double]
    }

    /// When each job was asked for, by its number, and how long after that it ran.
    private final class Times: Sendable {
        struct State {
            var askedAt: [ContinuousClock.Instant] = []
            var latencies: [Duration] = []
        }
        let state = Mutex(State())

        func ask(at instant: ContinuousClock.Instant) -> Int {
            state.withLock {
                $0.askedAt.append(instant)
                return $0.askedAt.count - 1
            }
        }

        func run(_ number: Int) {
            state.withLock { $0.latencies.append(.now - $0.askedAt[number]) }
        }
    }

    private struct NoteTime: JobHandler {
        static let kind = EmptyJob.kind
        let times: Times

        func handle(_ job: ClaimedJob) async throws {
            if let number = Int(job.subject) { times.run(number) }
        }
    }

    func run() async throws {
        let pool = try await database.pool(connectionCount: concurrency + 2)
        try await refill(pool, jobCount: 0)
        let times = Times()
        let listener = PostgresListener(
            pool.configuration, channels: [JobQueue.channel], logger: .silent)
        let worker = JobWorker(
            pool: pool, listener: listener, handlers: [NoteTime(times: times)],
            concurrency: concurrency, workerName: "benchmark", logger: .silent)
        let services = ServiceGroup(services: [listener, worker], logger: .silent)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            try await enqueueSteadily(pool, times)
            try await waitForLast(times)
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
        }
        await pool.close()
        let latencies = times.state.withLock { $0.latencies }
        try printJSON(Report(latenciesMs: latencies.map { $0 / .milliseconds(1) }))
    }

    /// What is asked for late, because the one before took long, counts from when it was due.
    private func enqueueSteadily(_ pool: PostgresPool, _ times: Times) async throws {
        let clock = ContinuousClock()
        let start = clock.now
        for number in 0..<(rate * seconds) {
            let due = start + .seconds(Double(number) / Double(rate))
            let isLate = clock.now > due
            if !isLate { try await clock.sleep(until: due, tolerance: .zero) }
            let subject = String(times.ask(at: isLate ? due : clock.now))
            try await pool.transaction {
                try JobQueue().enqueue(EmptyJob.kind, EmptyJob(), subject: subject, in: $0)
            }
        }
    }

    private func waitForLast(_ times: Times) async throws {
        let limit = ContinuousClock.now + .seconds(30)
        while times.state.withLock({ $0.latencies.count }) < rate * seconds {
            guard ContinuousClock.now < limit else { throw ExitCode(1) }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
