import Database
import Domain
import Foundation
import JobQueue
import NIOCore
import ObjectStorage
import Postgres
import Qdrant
import ServiceRuntime
import TestSupport

@testable import Admin

/// An upload as ingest leaves it: bytes, rows, vectors and points.
struct StoredDocument: Sendable {
    let id: Document.ID
    let key: String
    let revision: Revision.ID
    let chunks: [Chunk.ID]

    var attachmentID: Attachment.ID { Attachment.ID(rawValue: id.rawValue) }
}

extension AdminWorld {
    func live() async throws -> Generation {
        let live = try await pool.read { try GenerationStore($0).live() }
        guard let live else { throw NotThere() }
        return live
    }

    struct NotThere: Error {}

    /// Runs `body` with the live generation's collection, and removes every one afterwards.
    func withCollection(_ body: (Generation) async throws -> Void) async throws {
        let live = try await live()
        try await admin.qdrant.ensureCollection(live.collection, dimensionCount: 384)
        do {
            try await body(live)
        } catch {
            try await removeCollections()
            throw error
        }
        try await removeCollections()
    }

    /// - Parameter generations: in which it is shown, and has points.
    func store(
        _ name: String, by user: String? = nil, chunkCount: Int = 3,
        in generations: [Generation]
    ) async throws -> StoredDocument {
        let key = UploadKey.new()
        try await put(key)
        let attachment = Attachment.ID()
        let owner = Owner(userID: user.map(User.ID.init))
        let document = Document.ID(rawValue: attachment.rawValue)
        let revision = NewRevision(
            documentID: document, contentHash: [1], chunkingVersion: "test", text: name)
        let chunks = (0..<chunkCount).map { ordinal in
            NewChunk(
                chunk: Chunk(
                    revision: revision.id, ordinal: ordinal, text: "\(name) \(ordinal)", page: nil,
                    span: ordinal..<ordinal + 1, headingPath: [], language: .italian),
                textHash: Array("\(name) \(ordinal)".utf8), searchText: name)
        }
        let vector = [Float](repeating: 0.1, count: 384)
        try await pool.transaction { transaction in
            _ = try AttachmentStore(transaction).insert(
                NewAttachment(
                    id: attachment, owner: owner, filename: name, contentType: "text/plain",
                    byteCount: 5, sha256: [UInt8](repeating: 7, count: 32), storageKey: key))
            try RevisionStore(transaction).insert(revision, chunks: chunks)
            for generation in generations {
                for chunk in chunks {
                    try EmbeddingStore(transaction).insert(
                        vector, hash: chunk.textHash, owner: owner,
                        modelFingerprint: generation.index.modelFingerprint)
                }
                try IndexedDocumentStore(transaction).set(
                    document, in: generation.number, to: revision.id)
            }
            try AttachmentStore(transaction).setIndexed(
                attachment, chunkCount: chunkCount, pageCount: nil)
        }
        for generation in generations {
            try await admin.qdrant.upsert(
                chunks.map { point($0.chunk.id, document, revision.id, owner) },
                into: generation.collection)
        }
        return StoredDocument(
            id: document, key: key, revision: revision.id, chunks: chunks.map(\.chunk.id))
    }

    func point(
        _ chunk: Chunk.ID, _ document: Document.ID, _ revision: Revision.ID = Revision.ID(),
        _ owner: Owner = .shared
    ) -> Point {
        Point(
            chunkID: chunk, dense: [Float](repeating: 0.1, count: 384),
            sparse: SparseVector([1: 1]),
            payload: PointPayload(
                documentID: document, revisionID: revision, owner: owner, kind: .upload,
                language: .italian))
    }

    /// Bytes under a key; of so many hours ago.
    func put(_ key: String, hoursAgo: Double = 0) async throws {
        let (bytes, source) = AsyncStream<ByteBuffer>.makeStream()
        source.yield(ByteBuffer(string: "bytes"))
        source.finish()
        _ = try await admin.storage.put(key: key, bytes: bytes, byteCountMax: 5)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -hoursAgo * 3600)],
            ofItemAtPath: folder.appending(path: key).path())
    }

    /// What a comparison found, by kind; kinds without a fault are left out.
    func found(_ reply: Reply) -> [String: Int] {
        reply.part("faults").compactMapValues { ($0 as? [String: Any])?["found"] as? Int }
            .filter { $0.value > 0 }
    }

    /// The ids of a kind's examples.
    func examples(_ kind: String, _ reply: Reply) -> [String] {
        let faults = reply.part("faults")[kind] as? [String: Any]
        let examples = faults?["examples"] as? [[String: Any]] ?? []
        return examples.compactMap { $0["id"] as? String }
    }

    func outcomes(_ kind: String, _ reply: Reply) -> [String: Int] {
        let faults = reply.part("faults")[kind] as? [String: Any] ?? [:]
        return ["repaired", "queued", "impossible"].reduce(into: [:]) { counts, key in
            if let count = faults[key] as? Int, count > 0 { counts[key] = count }
        }
    }

    /// Subjects of the jobs of a kind that wait, in order.
    func waitingJobs(_ kind: String) async throws -> [String] {
        try await pool.read { session in
            try session.run(
                "SELECT subject FROM jobs WHERE kind = \(kind) AND state = 'ready' ORDER BY subject"
            ).map { try $0.get("subject", as: String.self) }
        }
    }

    func enqueue(
        _ kind: String, _ payload: some Encodable & Sendable, about document: Document.ID
    ) async throws {
        try await pool.transaction { transaction in
            try JobQueue().enqueue(
                kind, payload, subject: document.description, in: transaction)
        }
    }
}
