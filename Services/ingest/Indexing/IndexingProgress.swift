import Database
import JobQueue
import Postgres
import Synchronization

/// How far the indexing of a document is, for whoever waits for it. Written when it has taken a
/// second, and then about every second: short work says nothing.
final class IndexingProgress: Sendable {
    /// What is done one after the other, in shares of the whole.
    enum Stage {
        case reading
        case embedding
        case writing

        fileprivate var share: Range<Double> {
            switch self {
            case .reading: 0..<0.3
            case .embedding: 0.3..<0.9
            case .writing: 0.9..<1
            }
        }
    }

    private let job: ClaimedJob
    private let pool: PostgresPool
    private let nextWrite = Mutex(ContinuousClock.now + interval)

    private static let interval = Duration.seconds(1)

    init(of job: ClaimedJob, pool: PostgresPool) {
        self.job = job
        self.pool = pool
    }

    func report(_ stage: Stage, _ doneCount: Int, of count: Int) async {
        let isDue = nextWrite.withLock { next in
            guard ContinuousClock.now >= next else { return false }
            next = .now + Self.interval
            return true
        }
        guard isDue else { return }
        let share = stage.share
        let part = count > 0 ? min(1, Double(doneCount) / Double(count)) : 0
        let progress = share.lowerBound + part * (share.upperBound - share.lowerBound)
        // A hint: the work goes on without it, and whoever lost the lease learns it when it matters.
        try? await pool.transaction(deadline: .seconds(2)) { transaction in
            try job.report(progress, in: transaction)
            try transaction.notify(Channel.attachments, job.subject)
        }
    }
}
