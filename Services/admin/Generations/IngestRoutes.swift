import Database
import Domain
import HTTPService
import Hummingbird
import Logging
import Postgres

/// `POST /admin/ingest`: index again.
struct IngestRoutes: Sendable {
    let reindexing: Reindexing
    let pool: PostgresPool
    let listener: PostgresListener
    let logger: Logger

    func add(to router: some RouterMethods<ServiceContext>) {
        router.post("admin/ingest", use: ingest)
    }

    private struct Body: Decodable, Sendable {
        var attachmentID: String?
        var id: String?
        var all: Bool?

        private enum CodingKeys: String, CodingKey {
            case id, all
            case attachmentID = "attachment_id"
        }
    }

    private func ingest(_ request: Request, context: ServiceContext) async throws -> Response {
        let body = try await decodeOptionalJSON(Body.self, from: request) ?? Body()
        let asked =
            try body.attachmentID ?? body.id ?? request.parameter("attachment_id")
            ?? request.parameter("id")
        if let asked {
            guard let id = Attachment.ID(asked) else { throw Problem.attachmentNotFound }
            let seconds = try request.waitSeconds(default: 0)
            let repeatable = try Self.repeatable(request, "attachment \(id)", context)
            return try await ingest(id, as: repeatable, waitSeconds: seconds)
        }
        return body.all == true
            ? try await ingestAll(as: Self.repeatable(request, "all", context))
            : try await ingestUnindexed(as: Self.repeatable(request, "unindexed", context))
    }

    /// - Parameter meaning: what is asked for, alike in the body and in the query.
    private static func repeatable(
        _ request: Request, _ meaning: String, _ context: ServiceContext
    ) throws -> Reindexing.Repeatable {
        let keyed = try request.idempotencyKey().map {
            Reindexing.Repeatable.Keyed(
                principal: context.principal,
                request: KeyedRequest($0, route: "POST /admin/ingest", body: meaning.utf8))
        }
        return Reindexing.Repeatable(request: keyed, meaning: meaning, author: context.author)
    }

    struct Queued: Encodable {
        var status = "queued"
        let jobID: Int
        let attachmentID: Attachment.ID

        private enum CodingKeys: String, CodingKey {
            case status
            case jobID = "job_id"
            case attachmentID = "attachment_id"
        }
    }

    private struct Result: Encodable {
        let status: Attachment.Status
        let jobID: Int
        let attachmentID: Attachment.ID
        let chunkCount: Int
        let error: AttachmentFailureBody?

        private enum CodingKeys: String, CodingKey {
            case status, error
            case jobID = "job_id"
            case attachmentID = "attachment_id"
            case chunkCount = "chunk_count"
        }
    }

    private func ingest(
        _ id: Attachment.ID, as request: Reindexing.Repeatable, waitSeconds: Int
    ) async throws -> Response {
        let end = ContinuousClock.now + .seconds(waitSeconds)
        let news = listener.notifications(on: Channel.attachments)
        let job = try await reindexing.queue(id, as: request)
        logger.info("upload is indexed again", metadata: ["attachment.id": "\(id)"])
        let answer = Queued(jobID: job, attachmentID: id)
        guard waitSeconds > 0 else { return try JSONResponse.make(.accepted, answer) }
        let done = await SignalWait(news: news, payload: id.description).first(until: end) {
            // Away for a moment: the next look may succeed.
            try? await findDone(id, job: job)
        }
        guard let done else { return try JSONResponse.make(.accepted, answer) }
        return try JSONResponse.make(
            .ok,
            Result(
                status: done.status, jobID: job, attachmentID: id, chunkCount: done.chunkCount,
                error: done.failure.map(AttachmentFailureBody.init)))
    }

    /// The upload once its job is over; deleted meanwhile, it is not found any more.
    private func findDone(_ id: Attachment.ID, job: Int) async throws -> Attachment? {
        try await pool.read { session in
            guard try JobOverviewStore(session).find(job)?.state.isEnd != false else { return nil }
            return try AttachmentStore(session).find(id)
        }
    }

    struct Counted: Encodable {
        let status = "ok"
        let queued: Int
        let skipped: Int
        private enum CodingKeys: CodingKey { case status, queued, skipped }
    }

    private func ingestUnindexed(as request: Reindexing.Repeatable) async throws -> Response {
        let counts = try await reindexing.queueUnindexed(as: request)
        return try JSONResponse.make(
            .ok, Counted(queued: counts.queued, skipped: counts.skipped))
    }

    struct Building: Encodable {
        let status = "queued"
        let jobID: Int
        let generation: Int

        private enum CodingKeys: String, CodingKey {
            case status, generation
            case jobID = "job_id"
        }
    }

    private func ingestAll(as request: Reindexing.Repeatable) async throws -> Response {
        let build = try await reindexing.buildAll(as: request)
        logger.info(
            "index generation is being built",
            metadata: ["generation.number": "\(build.generation)"])
        return try JSONResponse.make(
            .accepted, Building(jobID: build.job, generation: build.generation))
    }
}
