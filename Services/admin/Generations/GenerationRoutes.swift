import Database
import Domain
import HTTPService
import HTTPTypes
import Hummingbird
import Logging
import Postgres

/// `GET /admin/generations`, newest first, and what an operator may do with one of them: go back to
/// it, give up building it, remove it.
struct GenerationRoutes: Sendable {
    let pool: PostgresPool
    let changes: GenerationChanges
    let logger: Logger

    /// Counting a million chunks takes seconds.
    private static let listingDeadline = Duration.seconds(30)

    func add(to router: some RouterMethods<ServiceContext>) {
        router.get("admin/generations", use: list)
        router.post("admin/generations/:number/activate", use: activate)
        router.post("admin/generations/:number/cancel", use: cancel)
        router.delete("admin/generations/:number", use: drop)
    }

    private func list(_ request: Request, context: ServiceContext) async throws -> Response {
        try JSONResponse.make(.ok, ["items": try await bodies()])
    }

    private struct Activation: Decodable, Sendable {
        var force: Bool?
    }

    private func activate(_ request: Request, context: ServiceContext) async throws -> Response {
        let number = try Self.number(context)
        let asked = try await decodeOptionalJSON(Activation.self, from: request)
        let isLive = try await changes.activate(
            number, isForced: asked?.force ?? false, by: context.author)
        logger.info(
            isLive ? "index generation is live" : "index generation is to become live",
            metadata: ["generation.number": "\(number)"])
        return try await answer(isLive ? .ok : .accepted, number)
    }

    private func cancel(_ request: Request, context: ServiceContext) async throws -> Response {
        let number = try Self.number(context)
        try await changes.cancel(number, by: context.author)
        logger.info(
            "index generation is given up", metadata: ["generation.number": "\(number)"])
        return try await answer(.ok, number)
    }

    private func drop(_ request: Request, context: ServiceContext) async throws -> Response {
        let number = try Self.number(context)
        try await changes.drop(number, by: context.author)
        logger.info(
            "index generation is to be removed", metadata: ["generation.number": "\(number)"])
        return try await answer(.accepted, number)
    }

    /// What is no number is as unknown as a number that was never given.
    private static func number(_ context: ServiceContext) throws -> Int {
        guard let text = context.parameters.get("number"), let number = Int32(text), number > 0,
            String(number) == text
        else { throw Problem.generationNotFound }
        return Int(number)
    }

    private func answer(_ status: HTTPResponse.Status, _ number: Int) async throws -> Response {
        let body = try await bodies().first { $0.overview.generation.number == number }
        guard let body else { throw Problem.generationNotFound }
        return try JSONResponse.make(status, body)
    }

    private func bodies() async throws -> [GenerationBody] {
        let overviews = try await pool.read(deadline: Self.listingDeadline) {
            try GenerationOverviewStore($0).list()
        }
        let isBuilding = overviews.contains { $0.generation.state == .building }
        return overviews.map { GenerationBody($0, isBuilding: isBuilding) }
    }
}
