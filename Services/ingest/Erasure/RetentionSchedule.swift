import Database
import Domain
import JobQueue
import Logging
import Postgres
import ServiceLifecycle

/// Has the retention enforced about every hour, however many workers run.
struct RetentionSchedule: Service {
    let pool: PostgresPool
    let queue: JobQueue
    let logger: Logger

    private static let interval = Duration.seconds(3600)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await enqueueIfDue()
                // Cancelled: the loop's condition ends it. Workers that started together part.
                try? await Task.sleep(for: Self.interval * Double.random(in: 0.8...1.2))
            }
        }
    }

    func enqueueIfDue() async {
        do {
            try await pool.transaction { transaction in
                guard
                    try RetentionStore(transaction).isDue(
                        EnforceRetentionJob.kind, afterSeconds: Int(Self.interval / .seconds(1)) / 2
                    )
                else { return }
                try queue.enqueue(
                    EnforceRetentionJob.kind, EnforceRetentionJob(),
                    subject: EnforceRetentionJob.kind, priority: .bulk, in: transaction)
            }
        } catch {
            logger.warning("retention is not enforced", metadata: ["reason": "\(error)"])
        }
    }
}
