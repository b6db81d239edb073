import Database
import Domain
import HTTPService
import Hummingbird
import JobQueue
import Logging

/// `POST /admin/jobs/{id}/retry`, `/admin/jobs/{id}/cancel`, and `/admin/jobs/retry` for all that
/// died of the same.
struct JobActionRoutes: Sendable {
    let retrying: JobRetrying
    let cancelling: JobCancelling
    let logger: Logger

    private static let textCountMax = 200

    func add(to router: some RouterMethods<ServiceContext>) {
        router.post("admin/jobs/retry", use: retryAll)
        router.post("admin/jobs/:id/retry", use: retry)
        router.post("admin/jobs/:id/cancel", use: cancel)
    }

    private func retry(_ request: Request, context: ServiceContext) async throws -> Response {
        let id = try context.parameters.jobID()
        let job = try await retrying.retry(id, by: context.author)
        logger.info("job is retried", metadata: ["job.id": "\(id)"])
        return try JSONResponse.make(.ok, JobBody(job, tellsAttempts: true))
    }

    /// `202` while a worker has yet to see to it.
    private func cancel(_ request: Request, context: ServiceContext) async throws -> Response {
        let id = try context.parameters.jobID()
        let job = try await cancelling.cancel(id, by: context.author)
        logger.info("job is cancelled", metadata: ["job.id": "\(id)"])
        return try JSONResponse.make(
            job.state.isEnd ? .ok : .accepted, JobBody(job, tellsAttempts: true))
    }

    private struct Body: Decodable, Sendable {
        var reason: String?
        var kind: String?
    }

    private struct Counted: Encodable {
        let retried: Int
        let skipped: Int
        let remaining: Int
    }

    private func retryAll(_ request: Request, context: ServiceContext) async throws -> Response {
        let body = try await decodeOptionalJSON(Body.self, from: request) ?? Body()
        let letters = DeadLetters(
            reason: try Self.text(body.reason, "/reason"), kind: try Self.text(body.kind, "/kind"))
        guard letters != DeadLetters() else {
            throw Problem.invalid("", "Say which: a `reason`, a `kind`, or both.")
        }
        let counts = try await retrying.retryAll(letters, by: context.author)
        logger.info("dead jobs are retried", metadata: ["job.count": "\(counts.retriedCount)"])
        return try JSONResponse.make(
            .ok,
            Counted(
                retried: counts.retriedCount, skipped: counts.skippedCount,
                remaining: counts.remainingCount))
    }

    private static func text(_ text: String?, _ pointer: String) throws -> String? {
        guard let text, !text.isEmpty else { return nil }
        return try Problem.requireShort(text, pointer, countMax: textCountMax)
    }
}

extension Parameters {
    /// A malformed id is as unknown as any other.
    func jobID() throws -> JobID {
        guard let number = get("id").flatMap({ Int($0) }) else { throw Problem.jobNotFound }
        return JobID(rawValue: number)
    }
}
