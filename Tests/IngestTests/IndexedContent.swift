import Crypto
import Database
import Domain
import Foundation
import JobQueue
import Postgres
import TestSupport

@testable import Ingest

extension IngestWorld {
    func liveIndex() async throws -> IndexDescription {
        let live = try await ingest.pool.read { try GenerationStore($0).live() }
        guard let live else { throw NotThere() }
        return live.index
    }

    private struct NotThere: Error {}

    /// Every chunk of the only revision there is.
    func chunks() async throws -> [Chunk] {
        try await ingest.pool.read { session in
            guard let row = try session.run("SELECT id FROM revisions").first else { return [] }
            return try RevisionStore(session).chunks(of: row.get("id")).map(\.chunk)
        }
    }

    /// What the live generation shows.
    func shownTexts() async throws -> [String] {
        try await ingest.pool.read { session in
            try session.run(
                """
                SELECT c.text FROM chunks c
                JOIN indexed_documents i ON i.tenant_id = c.tenant_id
                  AND i.revision_id = c.revision_id
                JOIN generations g ON g.number = i.generation AND g.state = 'live'
                ORDER BY c.text
                """
            ).map { try $0.get("text", as: String.self) }
        }
    }

    /// What admin does for a sync, and the wait until it is shown.
    func sync(_ pages: [String: String], removing removed: [String] = []) async throws {
        let repository = UUID(namespace: Tenant.only.rawValue, name: "test repository")
        let id = TrainingSync.ID()
        let changed = pages.map { path, content in
            TrainingSyncDraft.Page(
                documentID: Document.ID(namespace: repository, name: path), path: path,
                url: "https://example.org/\(path)", title: path, content: content,
                contentHash: Array(SHA256.hash(data: Array(content.utf8))), tags: [])
        }
        try await ingest.pool.transaction { transaction in
            let gone = try TrainingStore(transaction).pages().filter { removed.contains($0.path) }
            let draft = TrainingSyncDraft(
                id: id, repositoryURL: "https://example.org", target: "main",
                previousCommit: nil, commit: "abc", pages: changed, removed: gone,
                skipped: [], refused: [])
            _ = try TrainingSyncStore(transaction).insert(draft)
            for page in changed {
                try JobQueue().enqueue(
                    IndexTrainingPageJob.kind,
                    IndexTrainingPageJob(syncID: id, documentID: page.documentID),
                    subject: page.documentID.description, priority: .training, in: transaction)
            }
        }
        try await eventually {
            try await ingest.pool.read { try TrainingStore($0).find(id)?.isDone } == true
        }
    }
}
