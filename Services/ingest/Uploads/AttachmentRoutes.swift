import Database
import Domain
import HTTPService
import HTTPTypes
import Hummingbird
import Logging
import Postgres

/// What members see of their uploads, and taking them away.
struct AttachmentRoutes: Sendable {
    let pool: PostgresPool
    let deletion: DocumentDeletion
    let points: PointErasure
    let following: IndexingEvents
    let logger: Logger

    private static let pageSize = PageSize(200, most: 500)
    /// How long a deletion's answer waits for the engine.
    private static let eraseWait = Duration.seconds(2)

    func add(to router: some RouterMethods<ServiceContext>) {
        router.get("attachments", use: list)
        router.get("attachments/:id", use: find)
        router.get("attachments/:id/events", use: follow)
        router.delete("attachments/:id", use: delete)
    }

    private func list(_ request: Request, context: ServiceContext) async throws -> Response {
        let principal = context.principal
        let paging = try Paging(request, Self.pageSize)
        let before = try paging.place { Int($0) }
        let sources: Set<SourceKind> =
            try request.flag("include_shared") ? [.mine, .shared] : [.mine]
        let (found, total) = try await pool.read { session in
            let store = AttachmentStore(session)
            let found = try store.list(
                for: principal, sources: sources, limit: paging.rowCountMax,
                offset: paging.offset, before: before)
            return (
                try IndexingStateStore(session).told(found),
                try store.count(for: principal, sources: sources)
            )
        }
        return try JSONResponse.make(
            .ok,
            Page(found, paging, total: total, place: { String($0.attachment.sequence) }) {
                AttachmentBody($0.attachment, as: .item($0.state))
            })
    }

    private func find(_ request: Request, context: ServiceContext) async throws -> Response {
        let attachment = try await attachment(context)
        let told = try await pool.read { try IndexingStateStore($0).told([attachment]) }
        return try JSONResponse.make(
            .ok,
            AttachmentBody(told.first?.attachment ?? attachment, as: .item(told.first?.state)))
    }

    private func follow(_ request: Request, context: ServiceContext) async throws -> Response {
        let attachment = try await attachment(context)
        return EventStream().response(
            frames: following.frames(of: attachment.id, for: context.principal))
    }

    private func delete(_ request: Request, context: ServiceContext) async throws -> Response {
        let attachment = try await attachment(context)
        // Everybody's may be seen by all, and taken away by operators.
        if attachment.owner == .shared, !context.principal.isAdmin { throw Problem.adminOnly }
        let id = attachment.documentID
        let mayErase = try await pool.transaction { transaction in
            guard try !deletion.delete([id], in: transaction).isEmpty else {
                throw Problem.attachmentNotFound
            }
            try AuditStore(transaction).record(
                .attachmentDeleted, id.description,
                ["scope": attachment.owner == .shared ? "shared" : "user"], by: context.author)
            return try DocumentStore(transaction).findTombstone(id).map { $0.remainingSeconds <= 0 }
                ?? true
        }
        logger.info("attachment deleted", metadata: ["attachment.id": "\(id)"])
        // Before an ingest's lease is over, its points may still come: the job waits for that.
        if mayErase { await points.erase(id, within: Self.eraseWait) }
        return try JSONResponse.make(.ok, Deleted(attachmentID: attachment.id))
    }

    private func attachment(_ context: ServiceContext) async throws -> Attachment {
        let id = try context.parameters.id(
            "id", as: Attachment.ID.self, orThrow: .attachmentNotFound)
        let principal = context.principal
        let found = try await pool.read { try AttachmentStore($0).find(id, for: principal) }
        guard let found else { throw Problem.attachmentNotFound }
        return found
    }

    private struct Deleted: Encodable {
        let status = "deleted"
        let attachmentID: Attachment.ID

        private enum CodingKeys: String, CodingKey {
            case status
            case attachmentID = "attachment_id"
        }
    }
}
