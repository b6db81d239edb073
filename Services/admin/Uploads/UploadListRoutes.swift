import Database
import Domain
import HTTPService
import Hummingbird
import Postgres

/// `POST /admin/uploads` without a file: all users' uploads, or one of them in depth.
struct UploadListRoutes: Sendable {
    let pool: PostgresPool
    let inspection: UploadInspection

    private static let pageSize = PageSize(200, most: 500)
    /// Of each upload, the newest.
    private static let jobCountMax = 5

    func add(to router: some RouterMethods<ServiceContext>) {
        router.post("admin/uploads", use: overview)
    }

    private func overview(_ request: Request, context: ServiceContext) async throws -> Response {
        // Looking needs no key, but a wrong one is wrong everywhere.
        _ = try request.idempotencyKey()
        let asked =
            try await decodeOptionalJSON(UploadRequest.self, from: request) ?? UploadRequest()
        if let text = asked.attachmentID {
            guard let id = Attachment.ID(text) else { throw Problem.attachmentNotFound }
            let found = try await inspection.inspect(id, asked)
            try await record(
                found.attachment.owner.userID?.rawValue, of: id.description, context)
            return try JSONResponse.make(.ok, found)
        }
        let page = try await list(asked)
        try await record(asked.user, of: "", context)
        return try JSONResponse.make(.ok, page)
    }

    /// Whose files an operator has looked at is for others to know: what cannot be written down is
    /// not shown.
    private func record(
        _ user: String?, of subject: String, _ context: ServiceContext
    ) async throws {
        try await pool.read { session in
            try AuditStore(session).record(
                .uploadsViewed, subject, user.map { ["user": $0] } ?? [:], by: context.author)
        }
    }

    private func list(_ asked: UploadRequest) async throws -> UploadPage {
        let filter = try UploadListStore.Filter(asked)
        let order = try UploadListStore.Order(asked)
        let paging = Paging(
            limit: asked.limit?.value, offset: asked.offset?.value, cursor: asked.cursor,
            Self.pageSize)
        let place = try paging.place { order.place($0) }
        return try await pool.read { session in
            let store = UploadListStore(session)
            let found = try store.list(
                filter, by: order, after: place, offset: paging.offset, limit: paging.rowCountMax)
            let jobs = try JobOverviewStore(session).list(
                subjects: found.map(\.attachment.id.description), limitEach: Self.jobCountMax)
            let bySubject = Dictionary(grouping: jobs, by: \.subject)
            let told = try IndexingStateStore(session).told(found.map(\.attachment))
            let total = try store.total(filter)
            let page = Page(
                Array(zip(told, found.map(\.place))), paging, total: total.count,
                place: { order.text(of: $0.1) }
            ) { told, _ in
                UploadBody(
                    attachment: told.attachment, indexing: told.state,
                    jobs: bySubject[told.attachment.id.description] ?? [])
            }
            return UploadPage(page: page, byteCount: total.byteCount)
        }
    }
}

/// A page of uploads, and how large all of the list's files are together.
private struct UploadPage: Encodable, Sendable {
    let page: Page<UploadBody>
    let byteCount: Int

    private enum Key: String, CodingKey { case totalBytes = "total_bytes" }

    func encode(to encoder: any Encoder) throws {
        try page.encode(to: encoder)
        var body = encoder.container(keyedBy: Key.self)
        try body.encode(byteCount, forKey: .totalBytes)
    }
}
