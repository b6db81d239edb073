import Database
import Domain
import HTTPService
import HTTPTypes
import Hummingbird
import Logging

/// `POST /upload`, and the same by operators for everybody.
struct UploadRoutes: Sendable {
    let receiving: UploadReceiving
    let keeping: UploadKeeping
    let allowance: UploadAllowance
    let waiting: IndexingWait
    let logger: Logger

    func add(to router: some RouterMethods<ServiceContext>) {
        router.post("upload", use: upload)
        router.post("admin/uploads", use: uploadShared)
    }

    private func upload(_ request: Request, context: ServiceContext) async throws -> Response {
        try await take(
            request, "POST /upload", owner: .user(context.principal.user), context: context)
    }

    private func uploadShared(
        _ request: Request, context: ServiceContext
    ) async throws -> Response {
        guard context.principal.isAdmin else { throw Problem.adminOnly }
        return try await take(request, "POST /admin/uploads", owner: .shared, context: context)
    }

    private func take(
        _ request: Request, _ route: String, owner: Owner, context: ServiceContext
    ) async throws -> Response {
        let key = try request.idempotencyKey()
        let waitSeconds = try request.waitSeconds(default: waiting.defaultSeconds)
        let attachment = try await store(request, route, key, owner, context.principal)
        logger.info(
            "file uploaded",
            metadata: [
                "attachment.id": "\(attachment.id)", "byte.count": "\(attachment.byteCount)",
            ])
        let shown = await waiting.wait(for: attachment, seconds: waitSeconds)
        return try JSONResponse.make(
            .created, AttachmentBody(shown, as: .answer),
            headers: [.location: AttachmentBody.uri(of: shown.id)])
    }

    private func store(
        _ request: Request, _ route: String, _ key: IdempotencyKey?, _ owner: Owner,
        _ principal: Principal
    ) async throws -> Attachment {
        var reservation: UploadReservation.ID?
        if owner != .shared {
            reservation = try await allowance.reserve(for: principal, key: key, route: route)
        }
        do {
            let received = try await receiving.receive(request)
            return try await keeping.keep(
                received, owner: owner, for: principal,
                as: key.map { KeyedRequest($0, route: route, body: received.identity) },
                reservation)
        } catch {
            if let reservation { await allowance.release(reservation, for: principal) }
            throw error
        }
    }
}
