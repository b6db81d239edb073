import Database
import Domain
import HTTPService
import HTTPTypes
import Hummingbird
import JobQueue
import Logging
import ObjectStorage
import Postgres

/// `POST /upload`, and the same by operators for everybody.
struct UploadRoutes: Sendable {
    let pool: PostgresPool
    let queue: JobQueue
    let receiving: UploadReceiving
    let storage: any ObjectStorage
    let waiting: IndexingWait
    let logger: Logger

    func add(to router: some RouterMethods<ServiceContext>) {
        router.post("upload", use: upload)
        router.post("admin/uploads", use: uploadShared)
    }

    private func upload(_ request: Request, context: ServiceContext) async throws -> Response {
        try await take(request, owner: .user(context.principal.user), context: context)
    }

    private func uploadShared(
        _ request: Request, context: ServiceContext
    ) async throws -> Response {
        guard context.principal.isAdmin else { throw Problem.adminOnly }
        return try await take(request, owner: .shared, context: context)
    }

    private func take(
        _ request: Request, owner: Owner, context: ServiceContext
    ) async throws -> Response {
        let waitSeconds = try waiting.seconds(asked: request.uri.queryParameters["wait"])
        let received = try await receiving.receive(request)
        let attachment = try await keep(received, owner: owner)
        logger.info(
            "file uploaded",
            metadata: [
                "attachment.id": "\(attachment.id)", "byte.count": "\(attachment.byteCount)",
            ])
        let shown = await waiting.wait(for: attachment, seconds: waitSeconds)
        return try JSONResponse.make(
            .created, AttachmentBody(shown, isItem: false),
            headers: [.location: AttachmentBody.uri(of: shown.id)])
    }

    /// The bytes are stored; without rows they are nobody's and go again.
    private func keep(_ received: ReceivedFile, owner: Owner) async throws -> Attachment {
        let new = received.attachment(owner: owner)
        do {
            return try await pool.transaction { transaction in
                let attachment = try AttachmentStore(transaction).insert(new)
                try queue.enqueue(
                    IndexAttachmentJob.kind, IndexAttachmentJob(attachmentID: new.id),
                    subject: new.id.description, owner: owner.userID?.rawValue ?? "",
                    in: transaction)
                return attachment
            }
        } catch {
            await discard(new.storageKey)
            throw error
        }
    }

    private func discard(_ key: String) async {
        do {
            try await storage.delete(key: key)
        } catch {
            logger.warning("bytes of a failed upload remain", metadata: ["reason": "\(error)"])
        }
    }
}
