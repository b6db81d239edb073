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
        let rows = try session.run(
            """
            SELECT encode(text_hash, 'hex') AS hash, vector FROM embeddings
            WHERE tenant_id = \(Tenant.only) AND owner_key = \(owner.embeddingKey)
              AND model_fingerprint = \(modelFingerprint)
              AND text_hash IN (
                  SELECT decode(h, 'hex') FROM unnest(\(hashes.map(hexadecimal))::text[]) AS h)
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

    /// Those of a document's texts that no other document of the same owner has.
    package func deleteOnly(
        of document: Document.ID, owner: Owner
    ) throws(PostgresError) {
        try session.run(
            """
            DELETE FROM embeddings e
            USING (SELECT DISTINCT text_hash FROM chunks
                   WHERE tenant_id = \(Tenant.only) AND document_id = \(document)) c
            WHERE e.tenant_id = \(Tenant.only) AND e.owner_key = \(owner.embeddingKey)
              AND e.text_hash = c.text_hash
              AND NOT EXISTS (
                  SELECT FROM chunks o
                  JOIN documents d ON d.tenant_id = o.tenant_id AND d.id = o.document_id
                  WHERE o.tenant_id = e.tenant_id AND o.text_hash = e.text_hash
                    AND o.document_id <> \(document)
                    AND coalesce(d.owner_user_id, '') = e.owner_key)
            """)
    }
}

extension Owner {
    /// `''` is everybody's; a user's id is never empty.
    fileprivate var embeddingKey: String { userID?.rawValue ?? "" }
}
