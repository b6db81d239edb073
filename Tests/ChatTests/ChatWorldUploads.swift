import Database
import Domain
import FoundationEssentials
import ModelEndpoint
import Postgres
import Qdrant
import TextAnalysis

@testable import Chat

extension ChatWorld {
    /// Runs `body` with a live generation, its collection gone afterwards.
    func withIndex(_ body: () async throws -> Void) async throws {
        let index = IndexDescription(
            passageModel: "e5-passage", questionModel: "e5-query", dimensionCount: 384,
            chunkingVersion: "test", analysisVersion: Analyser.version)
        let base = "test_\(UUID().uuidString)"
        let generation = try await pool.transaction { transaction in
            try GenerationStore(transaction).ensureLive(index, collectionBase: base)
        }
        try await chat.qdrant.ensureCollection(generation.collection, dimensionCount: 384)
        await chat.generation.look()
        do {
            try await body()
            try await chat.qdrant.deleteCollection(generation.collection)
        } catch {
            try await chat.qdrant.deleteCollection(generation.collection)
            throw error
        }
    }

    /// An upload that is not indexed yet.
    func upload(_ filename: String, as user: String = "alice") async throws -> Attachment.ID {
        let new = NewAttachment(
            id: Attachment.ID(), owner: .user(User.ID(rawValue: user)), filename: filename,
            contentType: "text/markdown", byteCount: 1,
            sha256: Array(repeating: 0, count: 32), storageKey: UUID().uuidString)
        _ = try await pool.transaction { try AttachmentStore($0).insert(new) }
        return new.id
    }

    /// Makes an upload searchable, as the workers do, and says so.
    func index(_ id: Attachment.ID, _ text: String, as user: String = "alice") async throws {
        guard let generation = await chat.generation.current() else { return }
        let document = Document.ID(rawValue: id.rawValue)
        let owner = Owner.user(User.ID(rawValue: user))
        let revision = NewRevision(
            documentID: document, contentHash: Array(text.utf8), chunkingVersion: "test",
            text: text)
        let chunk = Chunk(
            revision: revision.id, ordinal: 0, text: text, page: nil,
            span: 0..<text.unicodeScalars.count, headingPath: [], language: .english)
        let found = try await chat.models.embed([text], as: .passage, model: "e5-passage")
        let point = Point(
            chunkID: chunk.id, dense: found.vectors[0],
            sparse: Analyser.sparse(document: text, language: .english),
            payload: PointPayload(
                documentID: document, revisionID: revision.id, owner: owner, kind: .upload,
                language: .english))
        try await chat.qdrant.upsert([point], into: generation.collection)
        let terms = Analyser.terms(of: text, language: .english).joined(separator: " ")
        try await pool.transaction { transaction in
            try RevisionStore(transaction).insert(
                revision,
                chunks: [
                    NewChunk(
                        chunk: chunk, textHash: Array(repeating: 1, count: 32), searchText: terms)
                ])
            try IndexedDocumentStore(transaction).set(
                document, in: generation.number, to: revision.id)
            try AttachmentStore(transaction).setIndexed(id, chunkCount: 1, pageCount: nil)
            try transaction.notify(Channel.attachments, id.description)
        }
    }

    func delete(_ id: Attachment.ID) async throws {
        _ = try await pool.transaction { transaction in
            try DocumentStore(transaction).delete(
                Document.ID(rawValue: id.rawValue))
        }
    }
}
