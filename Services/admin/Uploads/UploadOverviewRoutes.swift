import Database
import Domain
import HTTPService
import Hummingbird
import Logging
import Postgres
import Qdrant

/// `POST /admin/uploads` without a file: all users' uploads, or one of them in depth.
struct UploadOverviewRoutes: Sendable {
    let pool: PostgresPool
    let qdrant: Qdrant
    let logger: Logger

    private static let pageSize = PageSize(200, most: 500)
    private static let jobCountMax = 5
    private static let depthJobCountMax = 50
    /// Characters of the extracted text.
    private static let previewCount = 2_000
    private static let textCountMax = 200

    func add(to router: some RouterMethods<ServiceContext>) {
        router.post("admin/uploads", use: overview)
    }

    private struct Body: Decodable, Sendable {
        var attachmentID: String?
        var user: String?
        var status: String?
        var text: String?
        var limit: ClampedInteger?
        var offset: ClampedInteger?
        var cursor: String?

        private enum CodingKeys: String, CodingKey {
            case user, status, limit, offset, cursor
            case attachmentID = "attachment_id"
            case text = "q"
        }
    }

    private func overview(_ request: Request, context: ServiceContext) async throws -> Response {
        // Looking needs no key, but a wrong one is wrong everywhere.
        _ = try request.idempotencyKey()
        let body = try await decodeOptionalJSON(Body.self, from: request) ?? Body()
        if let text = body.attachmentID {
            guard let id = Attachment.ID(text) else { throw Problem.attachmentNotFound }
            let found = try await inspect(id)
            try await record(
                found.attachment.owner.userID?.rawValue, of: id.description, context)
            return try JSONResponse.make(.ok, found)
        }
        let page = try await list(body)
        try await record(body.user, of: "", context)
        return try JSONResponse.make(.ok, page)
    }

    /// Whose files an operator has looked at is for others to know: what cannot be written down is not
    /// shown.
    private func record(
        _ user: String?, of subject: String, _ context: ServiceContext
    ) async throws {
        try await pool.read { session in
            try AuditStore(session).record(
                .uploadsViewed, subject, user.map { ["user": $0] } ?? [:], by: context.author)
        }
    }

    private func list(_ body: Body) async throws -> Page<UploadBody> {
        let filter = try filter(body)
        let paging = Paging(
            limit: body.limit?.value, offset: body.offset?.value, cursor: body.cursor, Self.pageSize
        )
        let before = try paging.place { Int($0) }
        return try await pool.read { session in
            let store = UploadOverviewStore(session)
            let found = try store.list(
                filter, limit: paging.rowCountMax, offset: paging.offset, before: before)
            let jobs = try JobOverviewStore(session).list(
                subjects: found.map(\.id.description), limitEach: Self.jobCountMax)
            let told = try IndexingStateStore(session).told(found)
            let bySubject = Dictionary(grouping: jobs, by: \.subject)
            return Page(
                told, paging, total: try store.count(filter),
                place: { String($0.attachment.sequence) }
            ) {
                UploadBody(
                    attachment: $0.attachment, indexing: $0.state,
                    jobs: bySubject[$0.attachment.id.description] ?? [])
            }
        }
    }

    private func filter(_ body: Body) throws -> UploadOverviewStore.Filter {
        var filter = UploadOverviewStore.Filter()
        filter.user = body.user.flatMap { $0.isEmpty ? nil : User.ID(rawValue: $0) }
        if let text = body.text, !text.isEmpty {
            guard text.count <= Self.textCountMax else {
                throw Problem.invalid("/q", "At most \(Self.textCountMax) characters.")
            }
            filter.text = text
        }
        if let status = body.status, !status.isEmpty {
            guard let known = Attachment.Status(rawValue: status) else {
                throw Problem.invalid("/status", "There is no such status.")
            }
            filter.status = known
        }
        return filter
    }

    private func inspect(_ id: Attachment.ID) async throws -> UploadBody {
        let (told, jobs, live, text) = try await pool.read { session in
            let live = try GenerationStore(session).live()
            let document = Document.ID(rawValue: id.rawValue)
            let found = try AttachmentStore(session).find(id)
            return (
                try IndexingStateStore(session).told(found.map { [$0] } ?? []).first,
                try JobOverviewStore(session).list(
                    subjects: [id.description], limitEach: Self.depthJobCountMax),
                live,
                try live.flatMap { live throws(PostgresError) in
                    try UploadOverviewStore(session).findText(
                        document, in: live.number, previewCount: Self.previewCount)
                }
            )
        }
        guard let (found, indexing) = told else { throw Problem.attachmentNotFound }
        let depth = UploadDepth(
            generation: live?.number, text: text,
            pointCount: await pointCount(of: found.documentID, in: live))
        return UploadBody(
            attachment: found, indexing: indexing, jobs: jobs, depth: depth)
    }

    /// Nil when the engine is away: the rest of the answer stands without it.
    private func pointCount(of document: Document.ID, in live: Generation?) async -> Int? {
        guard let live else { return 0 }
        do {
            return try await qdrant.countPoints(document: document, in: live.collection)
        } catch {
            logger.warning("points cannot be counted", metadata: ["error": "\(error)"])
            return nil
        }
    }
}
