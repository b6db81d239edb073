import Database
import Domain
import Foundation
import Postgres
import TestSupport
import Testing

@testable import Admin

@Suite("Training pages whose paths collide")
struct TrainingPathsTests {
    private static let path = "/admin/training-materials/sync?verbose=true"
    // An accented letter of two code points, and of one: equal texts, in the order of their bytes.
    private static let first = "comunita\u{300}.md"
    private static let second = "comunit\u{E0}.md"

    @Test("are taken once where they only read the same; the other is told of, and syncs go on")
    func twins() async throws {
        try await AdminWorld.run { world in
            try Self.commitTwins(to: world.remote)
            for _ in 0..<2 {
                let reply = try await world.post(Self.path)
                #expect(reply.status == 200, "\(reply.text)")
                #expect(reply.part("ingest")["failed"] as? Int == 1)
                let files = try #require(reply.part("ingest")["files"] as? [[String: Any]])
                let second = try #require(
                    files.first { Self.bytes($0["path"] as? String) == Self.bytes(Self.second) })
                #expect(second["status"] as? String == "failed")
                let reason = try #require(second["reason"] as? String)
                #expect(reason.hasPrefix("ambiguous_path: "))
                #expect(try await Self.twins(in: world) == [Self.bytes(Self.first)])
            }
        }
    }

    @Test("become one where an earlier version shows both")
    func bothShown() async throws {
        try await AdminWorld.run { world in
            try Self.commitTwins(to: world.remote)
            _ = try await world.post(Self.path)
            let old = Document.ID()
            try await world.pool.transaction { transaction in
                try transaction.run(
                    """
                    INSERT INTO documents (id, kind, title) VALUES (\(old), 'training', 'Old')
                    """)
                try transaction.run(
                    """
                    INSERT INTO training_pages
                        (document_id, path, url, repository_url, commit, content, content_hash)
                    SELECT \(old)::uuid, \(Self.second)::text, url, repository_url, commit, content,
                           content_hash
                    FROM training_pages WHERE path = \(Self.first)
                    """)
            }
            #expect(try await Self.twins(in: world).count == 2)
            let reply = try await world.post(Self.path)
            #expect(reply.status == 200, "\(reply.text)")
            #expect(reply.part("ingest")["removed"] as? Int == 1)
            #expect(try await Self.twins(in: world) == [Self.bytes(Self.first)])
            #expect(try await world.post(Self.path).status == 200)
        }
    }

    @Test("end a sync that cannot be shown: it fails, what is shown stays, and the next begins")
    func impossible() async throws {
        try await AdminWorld.run(works: false) { world in
            let (shown, kept, new) = (Document.ID(), Document.ID(), Document.ID())
            let (first, second) = (TrainingSync.ID(), TrainingSync.ID())
            let step = try await world.pool.transaction { transaction in
                let store = TrainingSyncStore(transaction)
                _ = try store.insert(Self.draft(first, [shown: "a.md", kept: "b.md"], hash: 1))
                for page in [shown, kept] {
                    _ = try Self.finish(page, of: first, hash: 1, transaction)
                }
                _ = try store.insert(Self.draft(second, [new: "a.md", kept: "b.md"], hash: 2))
                _ = try Self.finish(kept, of: second, hash: 2, transaction)
                return try Self.finish(new, of: second, hash: 2, transaction)
            }
            guard case .failed(let flip) = step else {
                Issue.record("\(step)")
                return
            }
            #expect(flip.shown.isEmpty)
            #expect(flip.replaced == [kept])
            #expect(flip.erased == [new])
            let progress = try await world.pool.read { try TrainingStore($0).find(second) }
            #expect(progress?.isDone == true)
            #expect(progress?.indexedCount == 0)
            #expect(progress?.failedCount == 2)
            let pages = try await world.pool.read { try TrainingStore($0).unfinished(of: second) }
            #expect(Set(pages.failed.keys) == ["a.md", "b.md"])
            let old = [shown, kept].map { Self.revision(of: $0, hash: 1).description }
            #expect(try await world.shown() == ["a.md": old[0], "b.md": old[1]])
            let begins = try await world.pool.transaction { transaction in
                try TrainingSyncStore(transaction).insert(
                    Self.draft(TrainingSync.ID(), [kept: "b.md"], hash: 3))
            }
            #expect(begins)
        }
    }

    private static func bytes(_ text: String?) -> [UInt8] { Array((text ?? "").utf8) }

    private static func commitTwins(to remote: TestRemote) throws {
        try remote.write("# Twin\n\nText.\n", to: "text")
        let id = try remote.git("hash-object", "-w", "text", in: remote.author)
        for path in [second, first] {
            try remote.git(
                "update-index", "--add", "--cacheinfo", "100644,\(id),\(path)", in: remote.author)
        }
        try remote.git(
            "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--quiet",
            "--message", "Twins", in: remote.author)
        try remote.git("push", "--quiet", "origin", "HEAD", in: remote.author)
    }

    /// Those of the two paths that are shown.
    private static func twins(in world: AdminWorld) async throws -> [[UInt8]] {
        let rows = try await world.pool.read { session in
            try session.run("SELECT path FROM training_pages WHERE path LIKE 'comunit%'")
        }
        return try rows.map { bytes(try $0.get("path", as: String.self)) }
    }

    private static func draft(
        _ sync: TrainingSync.ID, _ pages: [Document.ID: String], hash: UInt8
    ) -> TrainingSyncDraft {
        TrainingSyncDraft(
            id: sync, repositoryURL: "https://example.org", target: "main", previousCommit: nil,
            commit: "abc",
            pages: pages.map { id, path in
                TrainingSyncDraft.Page(
                    documentID: id, path: path, url: "https://example.org", title: path,
                    content: "Text.", contentHash: [hash], tags: [])
            }, removed: [], skipped: [], refused: [])
    }

    private static func revision(of page: Document.ID, hash: UInt8) -> Revision.ID {
        Revision.id(
            document: page, contentHash: [hash],
            chunkingVersion: Chunking.version(windowTokenCount: 512))
    }

    /// What a worker does once a page is indexed.
    private static func finish(
        _ page: Document.ID, of sync: TrainingSync.ID, hash: UInt8, _ transaction: Transaction
    ) throws -> TrainingSyncStore.Step {
        let revision = Self.revision(of: page, hash: hash)
        let contentHash = [hash]
        try transaction.run(
            """
            INSERT INTO revisions (id, document_id, content_hash, chunking_version, text)
            VALUES (\(revision), \(page), \(contentHash), 'test', 'Text.')
            """)
        let generations = try GenerationStore(transaction).lockActive().map(\.number)
        return try TrainingSyncStore(transaction).finishPage(
            page, of: sync, as: .ready(revision, generations: generations),
            generations: generations)
    }
}
