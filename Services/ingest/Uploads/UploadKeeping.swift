import Database
import Domain
import HTTPService
import HTTPTypes
import JobQueue
import Logging
import ObjectStorage
import Postgres

/// Makes an attachment of a file that is in storage: rows and job in one transaction, or the bytes
/// go again.
struct UploadKeeping: Sendable {
    let pool: PostgresPool
    let queue: JobQueue
    let storage: any ObjectStorage
    let allowance: UploadAllowance
    let logger: Logger

    /// - Parameters:
    ///   - request: nil when the client gave no key. What came before under the same key is what is
    ///     answered, and these bytes are not kept.
    ///   - reservation: nil for a file that is nobody's own, and that nobody's limits count.
    func keep(
        _ received: ReceivedFile, owner: Owner, for principal: Principal, as request: KeyedRequest?,
        _ reservation: UploadReservation.ID?
    ) async throws -> Attachment {
        let new = received.attachment(owner: owner)
        do {
            let kept = try await pool.transaction { transaction in
                if let reservation {
                    try allowance.land(reservation, for: principal, in: transaction)
                }
                if let request,
                    let first = try first(of: request, new.id, principal, transaction)
                {
                    return first
                }
                if reservation != nil {
                    try allowance.requireRoom(
                        for: new.byteCount, of: principal, in: transaction)
                }
                return try insert(new, transaction)
            }
            if kept.id != new.id { await discard(new.storageKey) }
            return kept
        } catch PostgresError.unreachable(let reason) {
            return try await recover(new, reason)
        } catch {
            await discard(new.storageKey)
            throw error
        }
    }

    private func insert(_ new: NewAttachment, _ transaction: Transaction) throws -> Attachment {
        let attachment = try AttachmentStore(transaction).insert(new)
        if let owner = new.owner.userID {
            try DailyUsageStore(transaction).countUpload(of: new.byteCount, by: owner)
        }
        try queue.enqueue(
            IndexAttachmentJob.kind, IndexAttachmentJob(attachmentID: new.id),
            subject: new.id.description, owner: new.owner.userID?.rawValue ?? "",
            in: transaction)
        return attachment
    }

    /// What the same request made when it came before; nil when this is the first.
    private func first(
        of request: KeyedRequest, _ id: Attachment.ID, _ principal: Principal,
        _ transaction: Transaction
    ) throws -> Attachment? {
        let claim = try IdempotencyStore(transaction, for: principal).claim(
            request, subject: id.rawValue)
        switch claim {
        case .first: return nil
        case .repeated(let subject):
            let found = try AttachmentStore(transaction).find(
                Attachment.ID(rawValue: subject), for: principal)
            // A late repetition must not bring back what was deleted.
            guard let found else { throw Problem.attachmentDeleted }
            return found
        case .conflicting: throw Problem.keyReused
        }
    }

    /// The connection broke, perhaps after the commit: rows whose bytes we deleted would be a file
    /// that is lost. Where Postgres cannot say, the bytes stay.
    private func recover(_ new: NewAttachment, _ reason: String) async throws -> Attachment {
        if let kept = try await pool.read({ try AttachmentStore($0).find(new.id) }) { return kept }
        await discard(new.storageKey)
        throw PostgresError.unreachable(reason)
    }

    private func discard(_ key: String) async {
        do {
            try await storage.delete(key: key)
        } catch {
            logger.warning("bytes of an upload remain", metadata: ["reason": "\(error)"])
        }
    }
}

extension ReceivedFile {
    /// What makes two uploads the same one.
    var identity: [UInt8] { sha256 + filename.text.utf8 }
}

extension Problem {
    static let attachmentDeleted = Problem(
        .gone, code: "attachment_deleted",
        detail: "The file that came with this Idempotency-Key has been deleted since.")
}
