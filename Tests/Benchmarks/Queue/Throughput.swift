import ArgumentParser
import JobQueue
import Logging
import Postgres

/// Loops that each enqueue a job, claim one and complete it: three statements, as `pgbench` runs
/// them beside this.
struct Throughput: AsyncParsableCommand {
    @OptionGroup var database: BenchmarkDatabase
    @Option(help: "Loops at once, with a connection each.") var clients = 4
    @Option var seconds = 5.0
    @Option(help: "Jobs waiting from the start, so that a claim always finds one.")
    var waiting = 200

    private struct Report: Encodable {
        let jobCount: Int
        let seconds: Double
    }

    /// Completes whatever it is given.
    private struct DoNothing: JobHandler {
        static let kind = EmptyJob.kind
        func handle(_ job: ClaimedJob) async throws {}
    }

    func run() async throws {
        let pool = try await database.pool(connectionCount: clients)
        try await refill(pool, jobCount: waiting)
        let worker = JobWorker(
            pool: pool,
            listener: PostgresListener(pool.configuration, channels: [], logger: .silent),
            handlers: [DoNothing()], concurrency: 1, workerName: "benchmark", logger: .silent)
        let start = ContinuousClock.now
        let end = start + .seconds(seconds)
        let jobCount = try await withThrowingTaskGroup(of: Int.self) { group in
            for client in 0..<clients {
                group.addTask { try await loop(as: "\(client)", worker, pool, until: end) }
            }
            return try await group.reduce(0, +)
        }
        try printJSON(
            Report(jobCount: jobCount, seconds: (ContinuousClock.now - start) / .seconds(1)))
        await pool.close()
    }

    private func loop(
        as client: String, _ worker: JobWorker, _ pool: PostgresPool,
        until end: ContinuousClock.Instant
    ) async throws -> Int {
        var jobCount = 0
        while ContinuousClock.now < end {
            try await pool.transaction {
                try JobQueue().enqueue(
                    EmptyJob.kind, EmptyJob(), subject: client, owner: client, in: $0)
            }
            if try await worker.workOne() { jobCount += 1 }
        }
        return jobCount
    }
}
