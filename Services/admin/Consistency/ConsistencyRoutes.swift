import Domain
import HTTPService
import Hummingbird

/// `GET /admin/consistency` compares the stores, `POST` repairs. Both answer with a run, which goes on
/// when the answer cannot wait for its end.
struct ConsistencyRoutes: Sendable {
    let runs: ConsistencyRuns

    private static let waitSeconds = 10
    /// Of a comparison that is as good as a new one.
    private static let ageSeconds = 60
    private static let ageSecondsMax = 86_400

    func add(to router: some RouterMethods<ServiceContext>) {
        router.get("admin/consistency", use: compare)
        router.post("admin/consistency", use: begin)
    }

    private struct Body: Decodable, Sendable {
        var repair: Bool?
    }

    private func compare(_ request: Request, context: ServiceContext) async throws -> Response {
        let seconds = try request.waitSeconds(default: Self.waitSeconds)
        if let number = try request.count("run") {
            guard let run = try await runs.find(number) else {
                throw Problem(.notFound, code: "run_not_found", detail: "There is no such run.")
            }
            return try Self.answer(try await runs.wait(for: run, seconds: seconds))
        }
        let age = min(max(0, try request.count("max_age") ?? Self.ageSeconds), Self.ageSecondsMax)
        let run = try await runs.current(ageSecondsMax: age, by: context.author)
        return try Self.result(try await runs.wait(for: run, seconds: seconds))
    }

    private func begin(_ request: Request, context: ServiceContext) async throws -> Response {
        let seconds = try request.waitSeconds(default: Self.waitSeconds)
        let body = try await decodeOptionalJSON(Body.self, from: request)
        let run = try await runs.begin(repairs: body?.repair ?? true, by: context.author)
        return try Self.result(try await runs.wait(for: run, seconds: seconds))
    }

    /// Of a comparison that was asked for now: none is no answer.
    private static func result(_ run: ConsistencyRun) throws -> Response {
        if let failure = run.failure { throw Problem.unavailable(failure.message) }
        return try answer(run)
    }

    private static func answer(_ run: ConsistencyRun) throws -> Response {
        try JSONResponse.make(run.state == .running ? .accepted : .ok, ConsistencyBody(run))
    }
}
