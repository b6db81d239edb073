import Database
import Domain
import FoundationEssentials
import HTTPService
import Hummingbird
import JobQueue
import Postgres

/// The queue as of now: `GET /admin/jobs` in figures and as a list, `GET /admin/jobs/{id}` one job.
struct JobRoutes: Sendable {
    let pool: PostgresPool

    private static let pageSize = PageSize(50, most: 500)
    private static let textCountMax = 200
    /// Further than this a list is not counted.
    private static let totalMax = 100_000
    private static let reasonCountMax = 50
    private static let exampleCount = 3
    /// Of a backlog, and of a day's ended jobs.
    private static let deadline = Duration.seconds(20)

    func add(to router: some RouterMethods<ServiceContext>) {
        router.get("admin/jobs", use: jobs)
        router.get("admin/jobs/:id", use: job)
    }

    /// With a cursor, the next page alone: the figures came with the first.
    private func jobs(_ request: Request, context: ServiceContext) async throws -> Response {
        let (filter, paging) = (try Self.filter(request), try Paging(request, Self.pageSize))
        let before = try paging.place { Int($0) }
        return try await pool.read(deadline: Self.deadline) { session in
            let store = JobOverviewStore(session)
            let page = Page(
                try store.list(
                    filter, before: before, offset: paging.offset, limit: paging.rowCountMax),
                paging, total: try store.count(filter, atMost: Self.totalMax),
                place: { String($0.id) }
            ) { JobBody($0) }
            let figures = before == nil ? try Self.figures(session) : nil
            return try JSONResponse.make(.ok, JobPage(page: page, figures: figures))
        }
    }

    private struct JobPage: Encodable {
        let page: Page<JobBody>
        let figures: QueueBody?

        func encode(to encoder: any Encoder) throws {
            try page.encode(to: encoder)
            try figures?.encode(to: encoder)
        }
    }

    private static func figures(_ session: Session) throws -> QueueBody {
        let (store, jobs) = (QueueFiguresStore(session), JobOverviewStore(session))
        let deadLetters = try store.deadLetters(
            limit: reasonCountMax, exampleCount: exampleCount)
        let examples = try jobs.find(deadLetters.flatMap(\.examples))
        return QueueBody(
            counts: try store.counts(), waiting: try jobs.listOldestWaiting(),
            throughput: try store.throughput(), deadLetters: deadLetters,
            examples: Dictionary(uniqueKeysWithValues: examples.map { ($0.id, $0) }),
            workers: try store.workers(), now: Date())
    }

    private func job(_ request: Request, context: ServiceContext) async throws -> Response {
        let id = try context.parameters.jobID()
        guard let job = try await pool.read({ try JobOverviewStore($0).find(id.rawValue) }) else {
            throw Problem.jobNotFound
        }
        return try JSONResponse.make(.ok, JobBody(job, tellsAttempts: true))
    }

    private static func filter(_ request: Request) throws -> JobOverviewStore.Filter {
        var filter = JobOverviewStore.Filter()
        if let text = try request.parameter("state") {
            guard let state = JobState(rawValue: text) else {
                throw Problem.invalid("/state", "There is no such state.")
            }
            filter.state = state
        }
        filter.kind = try text(request, "kind")
        filter.subject = try text(request, "subject")
        return filter
    }

    private static func text(_ request: Request, _ name: String) throws -> String? {
        try request.parameter(name).map {
            try Problem.requireShort($0, "/\(name)", countMax: textCountMax)
        }
    }
}
