import Database
import Domain
import Foundation
import JobQueue
import Postgres
import TestSupport
import Testing

@testable import Admin

@Suite("Operators' view of the queue")
struct JobRoutesTests {
    private static func items(_ reply: AdminWorld.Reply) -> [[String: Any]] {
        reply.json["items"] as? [[String: Any]] ?? []
    }

    @Test("counts jobs by state and kind, tells the oldest of each kind, and how much is done")
    func figures() async throws {
        try await AdminWorld.run(works: false) { world in
            for kind in ["erase_document", "erase_document", "index_attachment"] {
                try await world.enqueue(kind, about: kind)
            }
            let cancelling = try await world.enqueue("index_attachment", about: "x")
            for seconds in [10, 1_800, 7_200] {
                let id = try await world.enqueue("index_training_page", about: "done")
                try await world.set(
                    "state = 'done', finished_at = now() - make_interval(secs => \(Double(seconds)))",
                    of: id)
            }
            try await world.pool.read { session in
                try session.run(
                    """
                    UPDATE jobs SET created_at = now() - interval '1 hour'
                    WHERE kind = 'index_attachment'
                    """)
                try session.run(
                    """
                    INSERT INTO job_workers (id, name, kinds, heartbeat_at) VALUES
                        (gen_random_uuid(), 'here', '{erase_document}', now()),
                        (gen_random_uuid(), 'gone', '{}', now() - interval '1 minute')
                    """)
            }
            #expect(try await world.post("/admin/jobs/\(cancelling)/cancel").status == 202)
            let reply = try await world.get("/admin/jobs")
            #expect(reply.status == 200, "\(reply.text)")
            #expect(
                reply.part("counts") as? [String: Int] == [
                    "ready": 3, "running": 0, "cancelling": 1, "done": 3, "dead": 0, "cancelled": 0,
                ])
            #expect(
                reply.part("kinds")["index_attachment"] as? [String: Int]
                    == ["ready": 1, "cancelling": 1])
            #expect(reply.json["is_capped"] as? Bool == false)
            let oldest = reply.part("oldest_waiting")
            #expect((oldest["job"] as? [String: Any])?["kind"] as? String == "index_attachment")
            #expect(oldest["seconds"] as? Int ?? 0 >= 3_600)
            #expect(
                reply.part("oldest_by_kind").keys.sorted() == [
                    "erase_document", "index_attachment",
                ])
            #expect(
                reply.part("throughput")["total"] as? [String: Int]
                    == ["last_minute": 1, "last_hour": 2])
            let workers = reply.json["workers"] as? [[String: Any]] ?? []
            #expect(workers.map { $0["name"] as? String } == ["here"])
            #expect(Self.items(reply).count == 7)
        }
    }

    @Test("groups dead letters by what they died of, the most frequent first, with the newest")
    func deadLetters() async throws {
        try await AdminWorld.run(works: false) { world in
            for number in 0..<5 {
                try await world.bury("index_attachment", "corrupt: file \(number)")
            }
            try await world.bury("index_attachment", "Broken()")
            try await world.bury("erase_document", "corrupt: y")
            let reply = try await world.get("/admin/jobs")
            let groups = reply.json["dead_letters"] as? [[String: Any]] ?? []
            #expect(groups.map { $0["count"] as? Int } == [5, 1, 1])
            #expect(groups.map { $0["reason"] as? String } == ["corrupt", "corrupt", "Broken()"])
            let examples = groups.first?["examples"] as? [[String: Any]] ?? []
            #expect(
                examples.map { $0["reason"] as? String }
                    == ["corrupt: file 4", "corrupt: file 3", "corrupt: file 2"])
        }
    }

    @Test("lists jobs by state, kind and subject, page by page; a later page has no figures")
    func list() async throws {
        try await AdminWorld.run(works: false) { world in
            var ids: [Int] = []
            for number in 0..<7 {
                ids.append(try await world.enqueue("erase_document", about: "\(number % 2)"))
            }
            _ = try await world.bury("index_attachment", "corrupt: x")
            let first = try await world.get("/admin/jobs?kind=erase_document&subject=0&limit=3")
            #expect(Self.items(first).map { $0["id"] as? Int } == [ids[6], ids[4], ids[2]])
            #expect(first.json["total"] as? Int == 4)
            let cursor = try #require(first.json["next_cursor"] as? String)
            _ = try await world.enqueue("erase_document", about: "0")
            let next = try await world.get(
                "/admin/jobs?kind=erase_document&subject=0&limit=3&cursor=\(cursor)")
            #expect(Self.items(next).map { $0["id"] as? Int } == [ids[0]])
            #expect(next.json["counts"] == nil)
            for (query, count) in [
                ("state=dead", 1), ("state=ready", 8), ("state=dead&kind=erase_document", 0),
                ("state=cancelling", 0), ("state=running", 0), ("state=done", 0),
                ("state=cancelled", 0), ("kind=nonsense", 0), ("state=&kind=", 9),
            ] {
                let reply = try await world.get("/admin/jobs?\(query)")
                #expect(Self.items(reply).count == count, "\(query): \(reply.text)")
                #expect(reply.json["total"] as? Int == count)
            }
        }
    }

    @Test("refuses what it cannot read, and knows no job of a strange id")
    func refuses() async throws {
        try await AdminWorld.run(works: false) { world in
            let long = String(repeating: "x", count: 201)
            for query in [
                "state=x", "state=ready&state=dead", "kind=\(long)", "subject=\(long)",
                "cursor=nonsense", "cursor=a&cursor=b", "limit=x", "kind=a%00b",
            ] {
                #expect(try await world.get("/admin/jobs?\(query)").status == 422, "\(query)")
            }
            let huge = String(repeating: "9", count: 40)
            #expect(try await world.get("/admin/jobs?limit=\(huge)&offset=\(huge)").status == 200)
            for id in ["0", "-1", "x", huge, "1.5", "9223372036854775807"] {
                #expect(try await world.get("/admin/jobs/\(id)").status == 404, "\(id)")
                for action in ["retry", "cancel"] {
                    let reply = try await world.post("/admin/jobs/\(id)/\(action)")
                    #expect(reply.status == 404, "\(id)")
                    #expect(reply.code == "job_not_found")
                }
            }
        }
    }

    @Test("shows one job with the attempts that did not complete it")
    func one() async throws {
        try await AdminWorld.run(works: false) { world in
            let id = try await world.bury("index_attachment", "corrupt: x")
            let reply = try await world.get("/admin/jobs/\(id)")
            #expect(reply.status == 200, "\(reply.text)")
            #expect(reply.json["state"] as? String == "dead")
            #expect(reply.json["reason"] as? String == "corrupt: x")
            #expect(reply.json["interruptions"] as? [[String: Any]] != nil)
        }
    }
}

extension AdminWorld {
    @discardableResult
    func enqueue(_ kind: String, about subject: String, owner: String = "") async throws -> Int {
        try await pool.transaction { transaction in
            try JobQueue().enqueue(
                kind, [String: String](), subject: subject, owner: owner, in: transaction
            ).rawValue
        }
    }

    /// A job that died of this.
    @discardableResult
    func bury(
        _ kind: String, _ reason: String, about subject: String = "x"
    ) async throws -> Int {
        let id = try await enqueue(kind, about: subject)
        try await set(
            "state = 'dead', failure_count = 5, reason = \(reason), finished_at = now()", of: id)
        return id
    }

    func set(_ change: SQL, of job: Int) async throws {
        try await pool.read { try $0.run("UPDATE jobs SET \(sql: change) WHERE id = \(job)") }
    }
}
