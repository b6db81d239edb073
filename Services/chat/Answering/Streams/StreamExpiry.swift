import Database
import Logging
import Postgres

/// Removes streams that can no longer be had.
struct StreamExpiry: Sendable {
    let pool: PostgresPool
    let logger: Logger

    private static let interval: Duration = .seconds(30)
    /// Of one statement.
    private static let countMax = 1000

    func run() async {
        while !Task.isCancelled {
            // Cancellation ends the sleep and with it the loop.
            do { try await Task.sleep(for: Self.interval) } catch { return }
            do {
                while try await removeSome() {}
            } catch {
                logger.info("expired streams stay", metadata: ["error": "\(error)"])
            }
        }
    }

    /// True when there may be more.
    private func removeSome() async throws -> Bool {
        try await pool.read { try StreamStore($0).deleteExpired(limit: Self.countMax) }
            == Self.countMax
    }
}
