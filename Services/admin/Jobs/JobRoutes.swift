import Database
import FoundationEssentials
import HTTPService
import Hummingbird
import Postgres

/// `GET /admin/jobs`: the queue as of now.
struct JobRoutes: Sendable {
    let pool: PostgresPool

    private static let deadCountMax = 100

    func add(to router: some RouterMethods<ServiceContext>) {
        router.get("admin/jobs", use: overview)
    }

    private struct Body: Encodable {
        /// By state, and by kind within a state.
        let counts: [String: Int]
        let kinds: [String: [String: Int]]
        let oldestWaiting: Waiting?
        let dead: [JobBody]

        private enum CodingKeys: String, CodingKey {
            case counts, kinds, dead
            case oldestWaiting = "oldest_waiting"
        }
    }

    private struct Waiting: Encodable {
        let job: JobBody
        let seconds: Int
    }

    private func overview(_ request: Request, context: ServiceContext) async throws -> Response {
        let (counted, oldest, dead) = try await pool.read { session in
            let store = JobOverviewStore(session)
            return (
                try store.counts(), try store.findOldestWaiting(),
                try store.listDead(limit: Self.deadCountMax)
            )
        }
        var counts = ["ready": 0, "running": 0, "done": 0, "dead": 0, "cancelled": 0]
        var kinds: [String: [String: Int]] = [:]
        for count in counted {
            counts[count.state, default: 0] += count.count
            kinds[count.kind, default: [:]][count.state] = count.count
        }
        let waiting = oldest.map {
            Waiting(
                job: JobBody($0), seconds: max(0, Int(Date().timeIntervalSince($0.createdAt))))
        }
        return try JSONResponse.make(
            .ok,
            Body(
                counts: counts, kinds: kinds, oldestWaiting: waiting, dead: dead.map(JobBody.init)))
    }
}
