import Database
import Domain
import HTTPService
import HTTPTypes
import Logging
import Postgres

/// Whether a member may upload one more file.
///
/// What is over already is refused before its bytes are read. The word that counts is spoken in the
/// transaction that keeps the file: there a member's uploads take turns, so that none slips through
/// beside another.
struct UploadAllowance: Sendable {
    let pool: PostgresPool
    let limits: UserLimits
    let logger: Logger

    /// An upload that takes longer still lands; one whose process died is counted so long.
    private static let lifetimeSeconds = 900

    /// - Parameter key: under which it may have come before. Then what that one took is no reason to
    ///   refuse it.
    func reserve(
        for principal: Principal, key: IdempotencyKey?, route: String
    ) async throws -> UploadReservation.ID {
        let id = UploadReservation.ID()
        try await pool.transaction { transaction in
            let reservations = UploadReservationStore(transaction, for: principal)
            try reservations.lock()
            let usage = try UsageStore(transaction, for: principal).usage()
            guard usage.uploadCount < limits.uploadCountMax else {
                throw Problem.tooManyUploads(usage, limits)
            }
            let isRepeated = try key.map {
                try IdempotencyStore(transaction, for: principal).isTaken($0, route: route)
            }
            if isRepeated != true { try limits.require(room: 1, beside: usage) }
            try reservations.insert(id, lifetimeSeconds: Self.lifetimeSeconds)
        }
        return id
    }

    /// For the transaction that keeps the file. Nobody else adds a file of this member until it ends.
    func land(
        _ id: UploadReservation.ID, for principal: Principal, in transaction: Transaction
    ) throws {
        let reservations = UploadReservationStore(transaction, for: principal)
        try reservations.lock()
        guard try reservations.delete(id) else { throw Problem.erasedMeanwhile }
    }

    func requireRoom(
        for byteCount: Int, of principal: Principal, in transaction: Transaction
    ) throws {
        try limits.require(
            room: byteCount, beside: UsageStore(transaction, for: principal).usage())
    }

    /// For an upload that came to nothing.
    func release(_ id: UploadReservation.ID, for principal: Principal) async {
        do {
            try await pool.transaction {
                _ = try UploadReservationStore($0, for: principal).delete(id)
            }
        } catch {
            logger.warning(
                "an upload is counted until its reservation expires",
                metadata: ["reason": "\(error)"])
        }
    }
}

extension UserLimits {
    func require(room byteCount: Int, beside usage: UserUsage) throws {
        guard usage.fileCount < fileCountMax else { throw Problem.tooManyFiles(usage, self) }
        guard usage.storedByteCount + byteCount <= storedByteCountMax else {
            throw Problem.storageFull(usage, self)
        }
    }
}

extension Problem {
    static func tooManyUploads(_ usage: UserUsage, _ limits: UserLimits) -> Problem {
        Problem(
            .tooManyRequests, code: "too_many_uploads",
            detail: "At most \(limits.uploadCountMax) uploads at a time, and \(usage.uploadCount) "
                + "are under way.",
            headers: [.retryAfter: "5"])
    }

    static func tooManyFiles(_ usage: UserUsage, _ limits: UserLimits) -> Problem {
        Problem(
            .contentTooLarge, code: "too_many_files",
            detail: "You may keep \(limits.fileCountMax) files and have \(usage.fileCount). "
                + "Delete one to make room.")
    }

    static func storageFull(_ usage: UserUsage, _ limits: UserLimits) -> Problem {
        Problem(
            .contentTooLarge, code: "storage_full",
            detail: "Your files may take \(megabytes(limits.storedByteCountMax)) MB together and "
                + "take \(megabytes(usage.storedByteCount)) MB. With this one it would be more.")
    }

    static let erasedMeanwhile = Problem(
        .conflict, code: "user_erased",
        detail: "All that you own was erased while this file was being sent.")

    /// With a tenth, so that a small excess shows.
    private static func megabytes(_ byteCount: Int) -> String {
        let tenths = (byteCount * 10) >> 20
        return "\(tenths / 10).\(tenths % 10)"
    }
}
