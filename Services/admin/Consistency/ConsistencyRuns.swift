import Database
import Domain
import HTTPService
import JobQueue
import Postgres

/// Begins comparisons and finds them: one at a time, over all replicas.
struct ConsistencyRuns: Sendable {
    let pool: PostgresPool
    let queue: JobQueue
    let listener: PostgresListener

    static let subject = "consistency"

    /// A new run, or the one that is going on if it does what is wanted.
    func begin(repairs: Bool, by author: AuditAuthor) async throws -> ConsistencyRun {
        try await pool.transaction { transaction in
            let store = ConsistencyRunStore(transaction)
            try store.lock()
            try AuditStore(transaction).record(
                .consistencyRequested, "", ["repair": "\(repairs)"], by: author)
            if let running = try store.findRunning() {
                guard running.repairs == repairs else {
                    throw Problem.conflict(
                        "consistency_running",
                        "Run \(running.id) is going on, which "
                            + (running.repairs ? "repairs." : "does not repair."))
                }
                return running
            }
            return try insert(repairs: repairs, by: author, transaction)
        }
    }

    /// The run that is going on, or the last comparison unless it is older than this, else a new
    /// one. What a repair found is no comparison of how things are now.
    func current(ageSecondsMax: Int, by author: AuditAuthor) async throws -> ConsistencyRun {
        try await pool.transaction { transaction in
            let store = ConsistencyRunStore(transaction)
            try store.lock()
            if let running = try store.findRunning() { return running }
            if let latest = try store.findLatest(), latest.state == .done, !latest.repairs,
                latest.ageSeconds <= Double(ageSecondsMax)
            {
                return latest
            }
            return try insert(repairs: false, by: author, transaction)
        }
    }

    private func insert(
        repairs: Bool, by author: AuditAuthor, _ transaction: Transaction
    ) throws -> ConsistencyRun {
        let store = ConsistencyRunStore(transaction)
        let id = try store.insert(repairs: repairs)
        let job = try queue.enqueue(
            CompareStoresJob.kind,
            CompareStoresJob(
                run: id, repairs: repairs, actor: author.actor, requestID: author.requestID),
            subject: Self.subject, in: transaction)
        try store.setJob(id, job.rawValue)
        guard let run = try store.find(id) else { throw PostgresError.undecodable(column: "id") }
        return run
    }

    func find(_ id: Int) async throws -> ConsistencyRun? {
        try await pool.read { try ConsistencyRunStore($0).find(id) }
    }

    /// The run when it has ended, or as it is after so long.
    func wait(for run: ConsistencyRun, seconds: Int) async throws -> ConsistencyRun {
        guard run.state == .running, seconds > 0 else { return run }
        let news = listener.notifications(on: Channel.consistency)
        let end = ContinuousClock.now + .seconds(seconds)
        let ended = await SignalWait(news: news, payload: String(run.id)).first(until: end) {
            // Away for a moment: the next look may succeed.
            let found = try? await find(run.id)
            return found.flatMap { $0.state == .running ? nil : $0 }
        }
        if let ended { return ended }
        return try await find(run.id) ?? run
    }
}
