import Database
import Domain
import Logging
import Postgres

/// Keeps the leases of this replica's answers, and hears what of them is to stop.
struct Leases: Sendable {
    let running: RunningAnswers
    let pool: PostgresPool
    let listener: PostgresListener
    let replica: String
    let seconds: Int
    let heartbeat: Duration
    let logger: Logger

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.renew() }
            group.addTask { await self.hearCancellations() }
        }
    }

    private func hearCancellations() async {
        for await notification in listener.notifications(on: MessageStore.cancellationsChannel) {
            if let id = Message.ID(notification.payload) {
                running.find(id)?.stop.set(.cancelled)
            } else {
                await beat()
            }
        }
    }

    private func renew() async {
        while !Task.isCancelled {
            // Cancellation ends the sleep and with it the loop.
            do { try await Task.sleep(for: heartbeat) } catch { return }
            await beat()
        }
    }

    /// Renews the leases, and learns what was cancelled or deleted without our hearing of it.
    private func beat() async {
        let answers = running.all
        if answers.isEmpty { return }
        do {
            let isCancelled = try await pool.read(deadline: .seconds(5)) { session in
                try MessageStore(session).renewLeases(
                    of: answers.map(\.id), replica: replica, leaseSeconds: seconds)
            }
            for answer in answers {
                switch isCancelled[answer.id] {
                case nil: answer.stop.set(.gone)
                case true?: answer.stop.set(.cancelled)
                case false?: break
                }
            }
        } catch {
            logger.warning("leases were not renewed", metadata: ["error": "\(error)"])
        }
    }
}
