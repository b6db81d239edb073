import Database
import Domain
import Foundation
import NIOCore
import ObjectStorage
import Postgres
import Qdrant
import TestSupport
import Testing

@testable import Admin

@Suite("Operators' list of uploads")
struct UploadListTests {
    private static func names(_ reply: AdminWorld.Reply) -> [String] {
        (reply.json["items"] as? [[String: Any]] ?? []).compactMap { $0["filename"] as? String }
    }

    private static func run(
        _ body: @escaping @Sendable (AdminWorld) async throws -> Void
    ) async throws {
        try await AdminWorld.run(works: false) { world in
            _ = try await world.upload("b.pdf", by: "alice", bytes: 30, type: "application/pdf")
            _ = try await world.upload("a.png", by: "bob", bytes: 10, type: "image/png")
            _ = try await world.upload("C.png", by: nil, bytes: 20, type: "image/png")
            _ = try await world.upload("d.txt", by: "alice", status: "failed", bytes: 20)
            try await body(world)
        }
    }

    @Test("is filtered by what is asked, all of it together, and tells the sum")
    func filters() async throws {
        try await Self.run { world in
            for (body, names, bytes) in [
                ("{}", ["d.txt", "C.png", "a.png", "b.pdf"], 80),
                (#"{"scope": "system"}"#, ["C.png"], 20),
                (#"{"scope": "user"}"#, ["d.txt", "a.png", "b.pdf"], 60),
                (#"{"type": "image"}"#, ["C.png", "a.png"], 30),
                (#"{"type": "image/*", "user": "bob"}"#, ["a.png"], 10),
                (#"{"type": "Application/PDF"}"#, ["b.pdf"], 30),
                (#"{"type": "app"}"#, [], 0),
                (#"{"status": "failed", "scope": "user", "q": "D."}"#, ["d.txt"], 20),
                (
                    #"{"status": "", "scope": "", "type": "", "q": "", "sort": ""}"#,
                    ["d.txt", "C.png", "a.png", "b.pdf"], 80
                ),
                (#"{"created_after": 0, "created_before": 1}"#, [], 0),
                (
                    #"{"created_after": -1e30, "created_before": 1e30}"#,
                    ["d.txt", "C.png", "a.png", "b.pdf"], 80
                ),
            ] {
                let reply = try await world.post("/admin/uploads", body)
                #expect(reply.status == 200, "\(body): \(reply.text)")
                #expect(Self.names(reply) == names, "\(body)")
                #expect(reply.json["total"] as? Int == names.count, "\(body)")
                #expect(reply.json["total_bytes"] as? Int == bytes, "\(body)")
            }
        }
    }

    @Test("takes times from one second on and before another")
    func times() async throws {
        try await Self.run { world in
            try await world.pool.read { session in
                for (name, second) in [("b.pdf", 100), ("a.png", 200), ("C.png", 300)] {
                    try session.run(
                        """
                        UPDATE attachments SET created_at = to_timestamp(\(Double(second)))
                        WHERE filename = \(name)
                        """)
                }
            }
            let reply = try await world.post(
                "/admin/uploads", #"{"created_after": 100, "created_before": 300}"#)
            #expect(Self.names(reply) == ["a.png", "b.pdf"])
        }
    }

    @Test(
        "pages through every order without losing or repeating what stays, while others come and go",
        arguments: UploadListStore.SortKey.allCases)
    func pages(_ key: UploadListStore.SortKey) async throws {
        try await AdminWorld.run(works: false) { world in
            var kept: Set<String> = []
            for number in 0..<12 {
                // Equal in everything but arrival, by threes.
                let id = try await world.upload(
                    "file \(number % 4).txt", by: "user \(number % 4)", bytes: 1 + number % 4)
                kept.insert(id.description)
            }
            for sort in [key.rawValue, "-\(key.rawValue)"] {
                let going = try await world.upload("file 1.txt", by: "user 1", bytes: 2)
                var (seen, values): ([String], [String]) = ([], [])
                var cursor = ""
                repeat {
                    let reply = try await world.post(
                        "/admin/uploads",
                        #"{"sort": "\#(sort)", "limit": 5, "cursor": "\#(cursor)"}"#)
                    #expect(reply.status == 200, "\(reply.text)")
                    for item in reply.json["items"] as? [[String: Any]] ?? [] {
                        seen.append(item["id"] as? String ?? "")
                        values.append(item["owner_user_id"] as? String ?? "")
                    }
                    cursor = reply.json["next_cursor"] as? String ?? ""
                    // One comes at each end and in between, and one goes.
                    for name in ["0", "2", "9"] {
                        _ = try await world.upload("file \(name).txt", by: "user \(name)")
                    }
                    _ = try await world.pool.transaction {
                        try DocumentStore($0).delete(Document.ID(rawValue: going.rawValue))
                    }
                } while !cursor.isEmpty && seen.count < 200
                #expect(Set(seen).count == seen.count, "\(sort)")
                #expect(kept.isSubset(of: seen), "\(sort)")
                if key == .filename || key == .user {
                    let sorted = values.sorted()
                    #expect(values == (sort.hasPrefix("-") ? sorted.reversed() : sorted))
                }
            }
        }
    }

    @Test("refuses what it does not know, and says which")
    func refuses() async throws {
        try await Self.run { world in
            let first = try await world.post("/admin/uploads", #"{"limit": 1, "sort": "size"}"#)
            let cursor = try #require(first.json["next_cursor"] as? String)
            let nul = Data("size:1:\u{0}".utf8).base64EncodedString()
            for (body, pointer) in [
                (#"{"status": "x"}"#, "/status"), (#"{"scope": "shared"}"#, "/scope"),
                (#"{"type": "a/b/c"}"#, "/type"), (#"{"type": "*/*"}"#, "/type"),
                (#"{"type": "image/p*"}"#, "/type"), (#"{"type": "im age"}"#, "/type"),
                (#"{"sort": "sha256"}"#, "/sort"), (#"{"sort": "--size"}"#, "/sort"),
                (#"{"sort": "-"}"#, "/sort"), (#"{"cursor": "\#(cursor)"}"#, "/cursor"),
                (#"{"cursor": "\#(cursor)", "sort": "-size"}"#, "/cursor"),
                (#"{"cursor": "\#(nul)", "sort": "size"}"#, "/cursor"),
                (#"{"cursor": "nonsense"}"#, "/cursor"),
                (#"{"created_after": "yesterday"}"#, "/created_after"),
                (#"{"created_before": 1.5}"#, "/created_before"),
                (#"{"q": "\#(String(repeating: "x", count: 201))"}"#, "/q"),
            ] {
                let reply = try await world.post("/admin/uploads", body)
                #expect(reply.status == 422, "\(body): \(reply.text)")
                let errors = reply.json["errors"] as? [[String: String]]
                #expect(errors?.first?["pointer"] == pointer, "\(body): \(reply.text)")
            }
            let huge = try await world.post(
                "/admin/uploads",
                #"{"limit": 9e99, "offset": 9e99, "chunk_limit": -9e99, "chunk_offset": 9e99}"#)
            #expect(huge.status == 200, "\(huge.text)")
            #expect(huge.json["limit"] as? Int == 500)
        }
    }

    @Test("shows one in depth: its jobs and attempts, each generation, its chunks page by page")
    func depth() async throws {
        try await AdminWorld.run(works: false) { world in
            let id = try await world.upload("a.txt", by: "alice")
            try await Self.index(id, chunkCount: 5, in: world)
            try await world.enqueue("index_attachment", about: id.description)
            try await world.pool.read { session in
                try session.run(
                    """
                    UPDATE jobs SET attempt = 1, started_at = created_at + interval '2 s',
                        worker = 'w', first_started_at = created_at + interval '2 s'
                    """)
                try session.run(
                    """
                    UPDATE jobs SET attempts = with_attempt(jobs, 'failed', 'Broken()'), attempt = 2,
                        state = 'done', started_at = created_at + interval '9 s',
                        finished_at = created_at + interval '9.25 s'
                    """)
            }
            let reply = try await world.post(
                "/admin/uploads",
                #"{"attachment_id": "\#(id)", "chunk_limit": 2, "chunk_offset": 3}"#)
            #expect(reply.status == 200, "\(reply.text)")
            let job = try #require((reply.json["jobs"] as? [[String: Any]])?.first)
            #expect(job["waited_seconds"] as? Double == 2)
            #expect(job["worked_seconds"] as? Double == 0.25)
            let attempt = try #require((job["interruptions"] as? [[String: Any]])?.first)
            #expect(attempt["outcome"] as? String == "failed")
            #expect(attempt["reason"] as? String == "Broken()")
            #expect(attempt["worker"] as? String == "w")

            let generations = try #require(reply.json["generations"] as? [[String: Any]])
            #expect(generations.map { $0["chunks"] as? Int } == [5])
            #expect(generations.map { $0["points"] as? Int } == [0])
            let chunks = reply.part("chunks")
            #expect(chunks["postgres"] as? Int == 5)
            let items = try #require(chunks["items"] as? [[String: Any]])
            #expect(items.map { $0["ordinal"] as? Int } == [3, 4])
            #expect((items[0]["preview"] as? String)?.count == 300)
            #expect(items[0]["length"] as? Int == 400)
            #expect(reply.json["text_length"] as? Int == 2_000)
            #expect(reply.part("storage")["exists"] as? Bool == false)
            #expect(reply.part("storage")["fault"] as? String == "missing")

            let none = try await world.post(
                "/admin/uploads", #"{"attachment_id": "\#(id)", "chunk_limit": 0}"#)
            #expect((none.part("chunks")["items"] as? [Any])?.isEmpty == true)
        }
    }

    @Test("tells whether the bytes are in storage, and whether they are all of them")
    func bytes() async throws {
        try await AdminWorld.run(works: false) { world in
            for (bytes, fault) in [("12345", nil), ("123", "other_length")] {
                let id = try await world.upload("a.txt", by: "alice", bytes: 5)
                let stored = AsyncStream<ByteBuffer> { stream in
                    stream.yield(ByteBuffer(string: bytes))
                    stream.finish()
                }
                _ = try await world.admin.storage.put(
                    key: id.description, bytes: stored, byteCountMax: 10)
                let reply = try await world.post(
                    "/admin/uploads", #"{"attachment_id": "\#(id)"}"#)
                let storage = reply.part("storage")
                #expect(storage["exists"] as? Bool == true, "\(reply.text)")
                #expect(storage["bytes"] as? Int == bytes.utf8.count)
                #expect(storage["fault"] as? String == fault)
            }
        }
    }

    /// A revision of equally long chunks, shown in the live generation; the engine has its
    /// collection, and no points.
    private static func index(
        _ id: Domain.Attachment.ID, chunkCount: Int, in world: AdminWorld
    ) async throws {
        let live = try #require(try await world.pool.read { try GenerationStore($0).live() })
        try await world.admin.qdrant.ensureCollection(live.collection, dimensionCount: 384)
        let text = String(repeating: "x", count: 400)
        try await world.pool.transaction { transaction in
            let document = Document.ID(rawValue: id.rawValue)
            let revision = Identifier<Revision>()
            try transaction.run(
                """
                INSERT INTO revisions (id, document_id, content_hash, chunking_version, text)
                VALUES (\(revision), \(document), '\\x01', 'test',
                        \(String(repeating: text, count: chunkCount)))
                """)
            try transaction.run(
                """
                INSERT INTO chunks (id, revision_id, document_id, ordinal, text, span_start, span_end,
                                    language, text_hash, search)
                SELECT gen_random_uuid(), \(revision), \(document), n, \(text), n * 400,
                       (n + 1) * 400, 'en', '\\x01', to_tsvector('simple', '')
                FROM generate_series(0, \(chunkCount - 1)) AS n
                """)
            try IndexedDocumentStore(transaction).set(document, in: live.number, to: revision)
        }
    }
}
