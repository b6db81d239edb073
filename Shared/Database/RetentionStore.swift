package import Domain
internal import FoundationEssentials
package import Postgres

/// What has been kept for so long that it is to go.
package struct RetentionStore {
    private let session: Transaction

    package init(_ transaction: Transaction) { session = transaction }

    /// Whether nobody has such a job to do, or had lately. Two who ask at once take turns.
    package func isDue(
        _ kind: String, afterSeconds seconds: Int
    ) throws(PostgresError) -> Bool {
        try session.run("SELECT pg_advisory_xact_lock(hashtextextended(\(kind), 0))")
        return try session.run(
            """
            SELECT id FROM jobs WHERE subject = \(kind) AND kind = \(kind)
              AND (state IN ('ready', 'running')
                   OR created_at > now() - make_interval(secs => \(Double(seconds))))
            LIMIT 1
            """
        ).isEmpty
    }

    /// Members' own; what operators share stays. Oldest first.
    package func listUploads(
        olderThanDays days: Int, limit: Int
    ) throws(PostgresError) -> [Document.ID] {
        let rows = try session.run(
            """
            SELECT d.id FROM documents d
            WHERE d.tenant_id = \(Tenant.only) AND d.kind = 'upload'
              AND d.owner_user_id IS NOT NULL AND d.deleted_at IS NULL
              AND d.created_at < now() - make_interval(days => \(days)::int)
            ORDER BY d.created_at, d.id LIMIT \(limit)
            """)
        var ids: [Document.ID] = []
        for row in rows { ids.append(try row.get("id")) }
        return ids
    }

    /// One that is being answered is not quiet. Returns how many went.
    package func deleteConversations(
        quietForDays days: Int, limit: Int
    ) throws(PostgresError) -> Int {
        try session.run(
            """
            DELETE FROM conversations WHERE tenant_id = \(Tenant.only) AND id IN (
                SELECT c.id FROM conversations c
                WHERE c.tenant_id = \(Tenant.only)
                  AND c.last_message_at < now() - make_interval(days => \(days)::int)
                ORDER BY c.last_message_at LIMIT \(limit) FOR UPDATE SKIP LOCKED)
            RETURNING id
            """
        ).count
    }

    /// Returns how many went.
    package func deleteAudit(
        olderThanDays days: Int, limit: Int
    ) throws(PostgresError) -> Int {
        let row = try session.run(
            """
            WITH gone AS (
                DELETE FROM audit_records WHERE id IN (
                    SELECT id FROM audit_records
                    WHERE tenant_id = \(Tenant.only)
                      AND created_at < now() - make_interval(days => \(days)::int)
                    LIMIT \(limit) FOR UPDATE SKIP LOCKED) RETURNING id)
            SELECT count(*) AS total FROM gone
            """
        ).first
        return try row?.get("total") ?? 0
    }

    /// Keys that no longer count, and uploads that never landed. Returns how many went.
    package func deleteRecords(limit: Int) throws(PostgresError) -> Int {
        let keys = try session.run(
            """
            DELETE FROM idempotency_keys WHERE ctid IN (
                SELECT ctid FROM idempotency_keys
                WHERE created_at < now() - interval '1 day'
                LIMIT \(limit) FOR UPDATE SKIP LOCKED)
            RETURNING key
            """)
        let reservations = try session.run(
            """
            DELETE FROM upload_reservations
            WHERE expires_at < now() - interval '1 day' RETURNING id
            """)
        return keys.count + reservations.count
    }
}
