import Database
import Domain
import Postgres
import Qdrant
import TestSupport
import Testing

@testable import Admin

@Suite("Operators' routes")
struct AdminRoutesTests {
    @Test("are for operators alone, whatever is asked")
    func group() async throws {
        try await AdminWorld.run(works: false) { world in
            let id = try await world.upload("a.txt", by: "alice")
            for path in [
                "/admin/uploads", "/admin/ingest", "/admin/ingest?attachment_id=\(id)",
                "/admin/reload", "/admin/training-materials/sync", "/admin/jobs/retry",
                "/admin/jobs/1/retry", "/admin/jobs/1/cancel",
            ] {
                let reply = try await world.post(path, "not json", as: "alice")
                #expect(reply.status == 403, "\(path)")
                #expect(reply.code == "admin_only")
            }
            for path in ["jobs", "jobs/1", "generations", "audit", "usage"] {
                #expect(try await world.get("/admin/\(path)", as: "alice").status == 403, "\(path)")
            }
        }
    }

    @Test("list all users' uploads, newest first, page by page")
    func uploads() async throws {
        try await AdminWorld.run(works: false) { world in
            let first = try await world.upload("first_%.txt", by: "alice")
            let second = try await world.upload("second.txt", by: "bob", status: "failed")
            let all = try await world.post("/admin/uploads")
            #expect(all.status == 200, "\(all.text)")
            #expect(Self.ids(all) == [second.description, first.description])
            #expect(all.json["total"] as? Int == 2)
            let page = try await world.post("/admin/uploads", #"{"limit": 1}"#)
            #expect(Self.ids(page) == [second.description])
            let cursor = try #require(page.json["next_cursor"] as? String)
            let next = try await world.post("/admin/uploads", #"{"cursor": "\#(cursor)"}"#)
            #expect(Self.ids(next) == [first.description])
            let failed = try await world.post("/admin/uploads", #"{"status": "failed"}"#)
            #expect(Self.ids(failed) == [second.description])
            let alice = try await world.post("/admin/uploads", #"{"user": "alice"}"#)
            #expect(Self.ids(alice) == [first.description])
            let found = try await world.post("/admin/uploads", #"{"q": "T_%"}"#)
            #expect(Self.ids(found) == [first.description])
            #expect(try await world.post("/admin/uploads", #"{"status": "x"}"#).status == 422)
        }
    }

    @Test("look at one upload in depth")
    func depth() async throws {
        try await AdminWorld.run { world in
            let id = try await world.upload("a.txt", by: "alice")
            let done = try await world.post("/admin/ingest?wait=20", #"{"id": "\#(id)"}"#)
            #expect(done.status == 200, "\(done.text)")
            #expect(done.json["status"] as? String == "indexed")
            let reply = try await world.post("/admin/uploads", #"{"attachment_id": "\#(id)"}"#)
            #expect(reply.status == 200, "\(reply.text)")
            #expect(reply.json["text_preview"] as? String == "some text")
            #expect(reply.json["owner_user_id"] as? String == "alice")
            #expect((reply.json["jobs"] as? [[String: Any]])?.first?["state"] as? String == "done")
            #expect(reply.part("chunks")["postgres"] as? Int == 0)
            for unknown in [Attachment.ID().description, "nonsense"] {
                let body = #"{"attachment_id": "\#(unknown)"}"#
                #expect(try await world.post("/admin/uploads", body).status == 404)
                #expect(try await world.post("/admin/ingest", body).status == 404)
            }
        }
    }

    @Test("queue one upload once")
    func one() async throws {
        try await AdminWorld.run(works: false) { world in
            let id = try await world.upload("a.txt", by: "alice", status: "failed")
            let first = try await world.post("/admin/ingest", #"{"attachment_id": "\#(id)"}"#)
            #expect(first.status == 202)
            #expect(first.json["status"] as? String == "queued")
            #expect(first.json["attachment_id"] as? String == id.description)
            let second = try await world.post("/admin/ingest?attachment_id=\(id)")
            #expect(second.json["job_id"] as? Int == first.json["job_id"] as? Int)
            let jobs = try await world.get("/admin/jobs")
            #expect(jobs.part("counts")["ready"] as? Int == 1)
            #expect(jobs.part("oldest_waiting")["job"] != nil)
        }
    }

    @Test("queue what failed or was lost, and nothing twice")
    func unindexed() async throws {
        try await AdminWorld.run(works: false) { world in
            _ = try await world.upload("failed.txt", by: "alice", status: "failed")
            _ = try await world.upload("lost.txt", by: "alice")
            let first = try await world.post("/admin/ingest")
            #expect(first.status == 200, "\(first.text)")
            #expect(first.json["queued"] as? Int == 2)
            let second = try await world.post("/admin/ingest", "{}")
            #expect(second.json["queued"] as? Int == 0)
            #expect(second.json["skipped"] as? Int == 2)
        }
    }

    @Test("build one generation at a time beside the live one")
    func all() async throws {
        try await AdminWorld.run(works: false) { world in
            let first = try await world.post("/admin/ingest", #"{"all": true}"#)
            #expect(first.status == 202, "\(first.text)")
            #expect(first.json["generation"] as? Int == 2)
            let second = try await world.post("/admin/ingest", #"{"all": true}"#)
            #expect(second.text == first.text)
            let listed = try await world.get("/admin/generations")
            let items = try #require(listed.json["items"] as? [[String: Any]])
            #expect(items.map { $0["state"] as? String } == ["building", "live"])
        }
    }

    @Test("say that the vector engine is away, and leave the view in use alone")
    func reloadAway() async throws {
        try await AdminWorld.run(qdrant: "http://127.0.0.1:1", works: false) { world in
            let reply = try await world.post("/admin/reload")
            #expect(reply.status == 503)
            #expect(reply.code == "unavailable")
        }
    }

    @Test("reload every replica that lives")
    func reload() async throws {
        try await AdminWorld.run(works: false) { world in
            let live = try #require(
                try await world.pool.read { try GenerationStore($0).live() })
            try await world.admin.qdrant.ensureCollection(live.collection, dimensionCount: 384)
            let listener = PostgresListener(
                world.pool.configuration, channels: [Channel.generations], logger: .test)
            try await world.pool.read {
                try ChatReplicaStore($0).beat("one", generation: 1, reloadSequence: 0)
            }
            let news = listener.notifications(on: Channel.generations)
            let answer = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await listener.run() }
                group.addTask { try await Self.carryOut(news, world.pool) }
                let answer = try await world.post("/admin/reload")
                group.cancelAll()
                return answer
            }
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.json["replicas"] as? Int == 1)
            #expect(answer.json["replicas_answered"] as? [String] == ["one"])
            #expect(answer.json["replicas_missing"] as? [String] == [])
            #expect(answer.json["vector_size"] as? Int == 384)
            #expect(answer.json["collection"] as? String == live.collection)
            try await world.admin.qdrant.deleteCollection(live.collection)
        }
    }

    /// What a chat replica does when it is told.
    private static func carryOut(
        _ news: AsyncStream<Postgres.Notification>, _ pool: PostgresPool
    ) async throws {
        for await _ in news {
            try await pool.read { session in
                let store = ChatReplicaStore(session)
                let request = try store.lastReloadRequest()
                try store.beat("one", generation: 1, reloadSequence: request)
            }
        }
    }

    private static func ids(_ reply: AdminWorld.Reply) -> [String] {
        (reply.json["items"] as? [[String: Any]])?.compactMap { $0["id"] as? String } ?? []
    }
}
