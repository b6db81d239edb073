import Database
import Domain
import JobQueue
import Logging
import Postgres

/// For how long what members own is kept; nil is for ever.
struct Retention: Sendable, Equatable {
    /// Days since a conversation's last message.
    var conversationDays: Int?
    /// Days since an upload.
    var uploadDays: Int?
    /// Days since something was written down in the audit.
    var auditDays: Int?
}

/// Deletes what has been kept for as long as the settings say, and records that have served.
struct EnforceRetention: JobHandler {
    static let kind = EnforceRetentionJob.kind

    let pool: PostgresPool
    let retention: Retention
    let deletion: DocumentDeletion
    let logger: Logger

    /// In one transaction; the next one takes the next.
    private static let batchCountMax = 200
    /// So many that the records of their going are few.
    private static let auditCountMax = 10_000

    func handle(_ job: ClaimedJob) async throws {
        if let days = retention.uploadDays {
            try await repeatedly("uploads", job) { transaction in
                let store = RetentionStore(transaction)
                let old = try store.listUploads(
                    olderThanDays: days, limit: Self.batchCountMax)
                let count = try deletion.delete(old, in: transaction).count
                try Self.record(.uploadsExpired, count, in: transaction)
                return count
            }
        }
        if let days = retention.conversationDays {
            try await repeatedly("conversations", job) { transaction in
                let count = try RetentionStore(transaction).deleteConversations(
                    quietForDays: days, limit: Self.batchCountMax)
                try Self.record(.conversationsExpired, count, in: transaction)
                return count
            }
        }
        if let days = retention.auditDays {
            try await repeatedly("audit", job) { transaction in
                let count = try RetentionStore(transaction).deleteAudit(
                    olderThanDays: days, limit: Self.auditCountMax)
                try Self.record(.auditExpired, count, in: transaction)
                return count
            }
        }
        try await repeatedly("records", job) { transaction in
            try RetentionStore(transaction).deleteRecords(limit: Self.batchCountMax)
        }
    }

    private static func record(
        _ action: AuditAction, _ count: Int, in transaction: Transaction
    ) throws {
        guard count > 0 else { return }
        try AuditStore(transaction).record(action, "", ["count": "\(count)"], by: .retention)
    }

    /// Until there are none left. What is deleted stays so if the lease is lost in between.
    private func repeatedly(
        _ what: String, _ job: ClaimedJob, _ delete: @Sendable (Transaction) throws -> Int
    ) async throws {
        var total = 0
        while true {
            let count = try await pool.transaction { transaction in
                try job.requireLease(in: transaction)
                return try delete(transaction)
            }
            total += count
            if count == 0 { break }
        }
        guard total > 0 else { return }
        logger.info(
            "deleted what was kept for long enough",
            metadata: ["retention.kind": "\(what)", "retention.count": "\(total)"])
    }
}
