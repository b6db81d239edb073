import Database
import Domain
import Foundation
import Postgres
import TestSupport
import Testing

@testable import Admin

@Suite("Audit")
struct AuditTests {
    private static func items(_ reply: AdminWorld.Reply) -> [[String: Any]] {
        reply.json["items"] as? [[String: Any]] ?? []
    }

    private static func actions(_ reply: AdminWorld.Reply) -> [String] {
        items(reply).compactMap { $0["action"] as? String }
    }

    @Test("tells what operators did, newest first, and nothing that was refused")
    func operators() async throws {
        try await AdminWorld.run { world in
            let id = try await world.upload("a.txt", by: "alice")
            #expect(try await world.post("/admin/uploads", #"{"user": "alice"}"#).status == 200)
            #expect(
                try await world.post("/admin/uploads", #"{"attachment_id": "\#(id)"}"#).status
                    == 200)
            #expect(try await world.post("/admin/ingest", #"{"id": "\#(id)"}"#).status == 202)
            #expect(try await world.post("/admin/ingest").status == 200)
            #expect(
                try await world.post("/admin/ingest", #"{"id": "\#(Attachment.ID())"}"#).status
                    == 404)
            #expect(try await world.post("/admin/ingest", as: "alice").status == 403)
            #expect(try await world.post("/admin/training-materials/sync").status == 200)

            let audit = try await world.get("/admin/audit")
            #expect(audit.status == 200, "\(audit.text)")
            #expect(
                Self.actions(audit) == [
                    "training.synced", "reindex.requested", "reindex.requested", "uploads.viewed",
                    "uploads.viewed",
                ])
            let items = Self.items(audit)
            #expect(items.allSatisfy { $0["actor"] as? String == "root" })
            #expect(items.allSatisfy { $0["is_admin"] as? Bool == true })
            #expect(items.allSatisfy { ($0["request_id"] as? String)?.isEmpty == false })
            let sync = try #require(items[0]["details"] as? [String: String])
            #expect(sync["commit"]?.count == 40)
            #expect(items[2]["subject"] as? String == "attachment \(id)")
            #expect(items[3]["subject"] as? String == id.description)
            for item in items.suffix(2) {
                #expect(item["details"] as? [String: String] == ["user": "alice"])
            }
        }
    }

    @Test("is paged, filtered, and given out as lines of JSON")
    func reading() async throws {
        try await AdminWorld.run(works: false) { world in
            try await world.pool.transaction { transaction in
                let store = AuditStore(transaction)
                for number in 0..<1_203 {
                    let author = AuditAuthor(
                        actor: number % 2 == 0 ? "alice" : "bob", isAdmin: false, requestID: nil)
                    try store.record(
                        number % 3 == 0 ? .conversationDeleted : .attachmentDeleted, "\(number)",
                        by: author)
                }
            }
            let page = try await world.get("/admin/audit?limit=2")
            #expect(Self.items(page).map { $0["subject"] as? String } == ["1202", "1201"])
            #expect(page.json["total"] as? Int == 1_203)
            let cursor = try #require(page.json["next_cursor"] as? String)
            let next = try await world.get("/admin/audit?limit=1&cursor=\(cursor)")
            #expect(Self.items(next).map { $0["subject"] as? String } == ["1200"])

            let bob = try await world.get(
                "/admin/audit?actor=bob&action=conversation.deleted&limit=500")
            #expect(Self.items(bob).count == 200)
            #expect(Self.items(bob).allSatisfy { $0["actor"] as? String == "bob" })
            #expect(try await world.get("/admin/audit?action=nonsense").status == 422)
            #expect(try await world.get("/admin/audit?format=xml").status == 422)
            #expect(try await world.get("/admin/audit?actor=a%00b").status == 422)

            let export = try await world.get("/admin/audit?format=jsonl&actor=alice")
            let lines = export.text.split(separator: "\n")
            let subjects = try lines.map { line in
                let record = try JSONSerialization.jsonObject(with: Data(line.utf8))
                return (record as? [String: Any])?["subject"] as? String
            }
            #expect(subjects == stride(from: 0, to: 1_203, by: 2).map { "\($0)" })
        }
    }

    @Test("tells of a repeated request once")
    func repeated() async throws {
        try await AdminWorld.run(works: false) { world in
            for _ in 0..<2 {
                let reply = try await world.post("/admin/ingest", "{}", key: "k")
                #expect(reply.status == 200)
            }
            let audit = try await world.get("/admin/audit")
            #expect(Self.actions(audit) == ["reindex.requested"])
        }
    }
}
