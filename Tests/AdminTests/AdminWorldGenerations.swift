import Database
import Domain
import JobQueue
import Postgres
import Qdrant
import ServiceRuntime

@testable import Admin

/// Generations as workers would have left them.
extension AdminWorld {
    /// Uploads that the first generation shows.
    func indexedUploads(_ count: Int) async throws -> [Attachment.ID] {
        var ids: [Attachment.ID] = []
        for number in 0..<count {
            let id = try await upload("\(number).txt", by: "alice")
            try await show(id, in: 1)
            ids.append(id)
        }
        return ids
    }

    /// - Parameter content: of another number, another version.
    func show(_ id: Attachment.ID, in generation: Int, content: UInt8 = 1) async throws {
        let document = Document.ID(rawValue: id.rawValue)
        try await pool.transaction { transaction in
            let version = Chunking.version(windowTokenCount: 512)
            let revision = Revision.id(
                document: document, contentHash: [content], chunkingVersion: version)
            try transaction.run(
                """
                INSERT INTO revisions (id, document_id, content_hash, chunking_version, text)
                VALUES (\(revision), \(document), \([content]), \(version), 'some text')
                ON CONFLICT DO NOTHING
                """)
            try IndexedDocumentStore(transaction).set(document, in: generation, to: revision)
        }
    }

    func reindex(_ id: Attachment.ID, in generation: Int) async throws {
        try await pool.transaction { transaction in
            try JobQueue().enqueue(
                ReindexDocumentJob.kind,
                ReindexDocumentJob(
                    documentID: Document.ID(rawValue: id.rawValue), generation: generation),
                subject: id.description, priority: .bulk, in: transaction)
        }
    }

    /// Its job has failed too often.
    func bury(_ id: Attachment.ID, in generation: Int) async throws {
        try await reindex(id, in: generation)
        try await pool.transaction { transaction in
            try transaction.run(
                """
                UPDATE jobs SET state = 'dead', finished_at = now()
                WHERE subject = \(id.description)
                """)
        }
    }

    /// A second generation in place of the first, both with a collection.
    func replaceLive(showing ids: [Attachment.ID]) async throws {
        let next = try await pool.transaction { transaction in
            let store = GenerationStore(transaction)
            let live = try store.list()[0]
            let base = live.collection.split(separator: "__")[0]
            return try store.insert(live.index, collectionBase: String(base))
        }
        for id in ids { try await show(id, in: next.number) }
        for generation in try await pool.read({ try GenerationStore($0).list() }) {
            try await admin.qdrant.ensureCollection(generation.collection, dimensionCount: 384)
        }
        _ = try await pool.transaction { try GenerationStore($0).setLive(next.number) }
    }

    func removeCollections() async throws {
        for name in try await admin.qdrant.collectionNames()
        where name.hasPrefix(admin.settings.qdrant.collectionBase) {
            try await admin.qdrant.deleteCollection(name)
        }
    }

    /// As `GET /admin/generations` tells it.
    func generation(_ number: Int) async throws -> [String: Any] {
        let items = try await get("/admin/generations").json["items"] as? [[String: Any]]
        return items?.first { $0["generation"] as? Int == number } ?? [:]
    }

    /// Kinds of what is still to be done.
    func openJobs() async throws -> [String] {
        try await pool.read { session in
            try session.run(
                "SELECT kind FROM jobs WHERE state IN ('ready', 'running', 'dead') ORDER BY id"
            ).map { try $0.get("kind", as: String.self) }
        }
    }

    func auditedActions() async throws -> [String] {
        try await pool.read { session in
            try session.run("SELECT action FROM audit_records ORDER BY id")
                .map { try $0.get("action", as: String.self) }
        }
    }
}
