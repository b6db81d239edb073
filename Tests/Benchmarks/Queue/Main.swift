import ArgumentParser
import Database
import Foundation
import JobQueue
import Logging
import Postgres

/// What `make bench` measures of the queue: the numbers go to standard output as a line of JSON.
@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "QueueBenchmark", subcommands: [Throughput.self, Pickup.self])
}

/// The database of every measurement, named by `DATABASE_URL`, migrated when it is not.
struct BenchmarkDatabase: ParsableArguments {
    func pool(connectionCount: Int) async throws -> PostgresPool {
        let url = ProcessInfo.processInfo.environment["DATABASE_URL"] ?? ""
        let pool = PostgresPool(
            try PostgresConfiguration(url: url), connectionCountMax: connectionCount,
            waitMax: .seconds(10), logger: .silent)
        try await Migrations.run(pool, logger: .silent)
        return pool
    }
}

extension Logger {
    static var silent: Logger { Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() } }
}

/// A job about nothing, so that only the queue is measured.
struct EmptyJob: Codable, Sendable {
    static let kind = "benchmark"
}

/// Empties the queue, then fills it with this many jobs.
func refill(_ pool: PostgresPool, jobCount: Int) async throws {
    try await pool.transaction { transaction in
        try transaction.run("TRUNCATE jobs")
        for number in 0..<jobCount {
            try JobQueue().enqueue(EmptyJob.kind, EmptyJob(), subject: "\(number)", in: transaction)
        }
    }
}

func printJSON(_ value: some Encodable) throws {
    print(String(decoding: try JSONEncoder().encode(value), as: UTF8.self))
}
