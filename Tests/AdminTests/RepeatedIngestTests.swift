import Domain
import Postgres
import TestSupport
import Testing

@testable import Admin

@Suite("Repeated re-indexing")
struct RepeatedIngestTests {
    @Test("answers what the first request answered, and queues nothing again")
    func same() async throws {
        try await AdminWorld.run(works: false) { world in
            let id = try await world.upload("failed.txt", by: "alice", status: "failed")
            let bodies = [
                ("one", #"{"attachment_id": "\#(id)"}"#), ("some", "{}"),
                ("all", #"{"all": true}"#),
            ]
            for (key, body) in bodies {
                let first = try await world.post("/admin/ingest", body, key: key)
                #expect(first.status < 300, "\(first.text)")
                try await Self.finishJobs(world)
                let again = try await world.post("/admin/ingest", body, key: key)
                #expect(again.text == first.text)
                #expect(again.status == first.status)
            }
            // The same by the query is the same.
            let query = try await world.post("/admin/ingest?id=\(id)", key: "one")
            #expect(query.status == 202, "\(query.text)")
            #expect(try await Self.jobCount(world) == 3)
            let fresh = try await world.post("/admin/ingest", bodies[0].1)
            #expect(fresh.json["job_id"] as? Int != query.json["job_id"] as? Int)
        }
    }

    @Test("is refused for another request, and remembers no failure")
    func another() async throws {
        try await AdminWorld.run(works: false) { world in
            let unknown = try await world.post("/admin/ingest?id=\(Attachment.ID())", key: "k")
            #expect(unknown.status == 404)
            let first = try await world.post("/admin/ingest", key: "k")
            #expect(first.status == 200)
            let other = try await world.post("/admin/ingest", #"{"all": true}"#, key: "k")
            #expect(other.status == 422)
            #expect(other.code == "idempotency_key_reused")
            let long = String(repeating: "k", count: 201)
            let refused = try await world.post("/admin/ingest", key: long)
            #expect(refused.code == "invalid_idempotency_key")
        }
    }

    @Test("at the same moment is done once")
    func together() async throws {
        try await AdminWorld.run(works: false) { world in
            _ = try await world.upload("failed.txt", by: "alice", status: "failed")
            let answers = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<5 {
                    group.addTask { try await world.post("/admin/ingest", key: "k").text }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(answers == [#"{"queued":1,"skipped":0,"status":"ok"}"#])
        }
    }

    private static func finishJobs(_ world: AdminWorld) async throws {
        try await world.pool.read {
            try $0.run("UPDATE jobs SET state = 'done', finished_at = now()")
        }
    }

    private static func jobCount(_ world: AdminWorld) async throws -> Int {
        try await world.pool.read {
            try $0.run("SELECT count(*) AS n FROM jobs").first?.get("n") ?? 0
        }
    }
}
