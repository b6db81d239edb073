package import Domain
package import Postgres

/// Vectors by the text they were made of: the same owner's text is never embedded twice.
package struct EmbeddingStore {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    /// Those that are there, by the hash of their text in hexadecimal.
    package func find(
        _ hashes: [[UInt8]], owner: Owner, modelFingerprint: String
    ) throws(PostgresError) -> [String: [Float]] {
        // An array, not `IN`: without statistics the planner would read all of the owner's.
        let rows = try session.run(
            """
            SELECT encode(text_hash, 'hex') AS hash, vector FROM embeddings
            WHERE tenant_id = \(Tenant.only) AND owner_key = \(owner.embeddingKey)
              AND model_fingerprint = \(modelFingerprint)
              AND text_hash = ANY(ARRAY(
                  SELECT decode(h, 'hex') FROM unnest(\(hashes.map(hexadecimal))::text[]) AS h))
            """)
        var found: [String: [Float]] = [:]
        for row in rows {
            found[try row.get("hash", as: String.self)] = try row.get("vector", as: [Float].self)
        }
        return found
    }

    package func insert(
        _ vector: [Float], hash: [UInt8], owner: Owner, modelFingerprint: String
    ) throws(PostgresError) {
        try session.run(
            """
            INSERT INTO embeddings (tenant_id, owner_key, model_fingerprint, text_hash, vector)
            VALUES (\(Tenant.only), \(owner.embeddingKey), \(modelFingerprint), \(hash), \(vector))
            ON CONFLICT DO NOTHING
            """)
    }

    /// Those of a document's texts that nothing else of the same owner says.
    package func deleteOnly(of document: Document.ID, owner: Owner) throws(PostgresError) {
        try delete(ofChunksWhere: "document_id = \(document)", owner: owner)
        try deleteAbandoned(of: owner)
    }

    /// The same for one revision.
    package func deleteOnly(of revision: Revision.ID, owner: Owner) throws(PostgresError) {
        try delete(ofChunksWhere: "revision_id = \(revision)", owner: owner)
    }

    /// Some of those that a model made. Returns how many; 0 when none is left.
    package func delete(
        modelFingerprint: String, limit: Int
    ) throws(PostgresError) -> Int {
        try session.run(
            """
            WITH gone AS (
                DELETE FROM embeddings WHERE ctid = ANY(ARRAY(
                    SELECT ctid FROM embeddings
                    WHERE tenant_id = \(Tenant.only) AND model_fingerprint = \(modelFingerprint)
                    LIMIT \(limit)))
                RETURNING 1)
            SELECT count(*) AS gone FROM gone
            """
        ).first?.get("gone") ?? 0
    }

    private func delete(ofChunksWhere condition: SQL, owner: Owner) throws(PostgresError) {
        try session.run(
            """
            WITH gone AS (
                SELECT id, text_hash FROM chunks
                WHERE tenant_id = \(Tenant.only) AND \(sql: condition)
            )
            DELETE FROM embeddings e
            WHERE e.tenant_id = \(Tenant.only) AND e.owner_key = \(owner.embeddingKey)
              AND e.text_hash IN (SELECT text_hash FROM gone)
              AND NOT EXISTS (
                  SELECT FROM chunks c
                  JOIN documents d ON d.tenant_id = c.tenant_id AND d.id = c.document_id
                  WHERE c.tenant_id = e.tenant_id AND c.text_hash = e.text_hash
                    AND coalesce(d.owner_user_id, '') = e.owner_key
                    AND c.id NOT IN (SELECT id FROM gone))
            """)
    }

    /// What an indexing that was never finished left behind: no chunk refers to it. The hour is for
    /// those that are under way; a member without files has none.
    private func deleteAbandoned(of owner: Owner) throws(PostgresError) {
        try session.run(
            """
            DELETE FROM embeddings e
            WHERE e.tenant_id = \(Tenant.only) AND e.owner_key = \(owner.embeddingKey)
              AND (e.created_at < now() - interval '1 hour'
                   OR e.owner_key <> '' AND NOT EXISTS (
                       SELECT FROM documents d
                       WHERE d.tenant_id = e.tenant_id AND d.owner_user_id = e.owner_key
                         AND d.deleted_at IS NULL))
              AND NOT EXISTS (
                  SELECT FROM chunks c
                  JOIN documents d ON d.tenant_id = c.tenant_id AND d.id = c.document_id
                  WHERE c.tenant_id = e.tenant_id AND c.text_hash = e.text_hash
                    AND coalesce(d.owner_user_id, '') = e.owner_key)
            """)
    }
}

extension Owner {
    /// `''` is everybody's; a user's id is never empty.
    fileprivate var embeddingKey: String { userID?.rawValue ?? "" }
}
