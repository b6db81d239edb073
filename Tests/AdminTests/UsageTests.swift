import Database
import Domain
import Foundation
import Postgres
import TestSupport
import Testing

@testable import Admin

@Suite("Usage by member and day")
struct UsageTests {
    private static func days(_ reply: AdminWorld.Reply) -> [String] {
        (reply.json["items"] as? [[String: Any]] ?? []).map { item in
            "\(item["day"] as? String ?? "") \(item["user"] as? String ?? "")"
        }
    }

    private static func run(
        _ body: @escaping @Sendable (AdminWorld) async throws -> Void
    ) async throws {
        try await AdminWorld.run(works: false) { world in
            try await world.pool.read { session in
                for (user, day) in [
                    ("alice", "2026-02-28"), ("bob", "2026-03-01"), ("alice", "2026-03-01"),
                    ("Bob: again", "2026-03-01"), ("bob", "2026-03-02"),
                ] {
                    try session.run(
                        """
                        INSERT INTO token_usage (user_id, day, prompt_token_count,
                            completion_token_count, question_count, upload_count, uploaded_byte_count)
                        VALUES (\(user), \(day)::date, 1000, 100, 3, 2, 3000000000)
                        """)
                }
            }
            try await body(world)
        }
    }

    @Test("tells the newest day first, filtered, page by page, with what all of it sums up to")
    func list() async throws {
        try await Self.run { world in
            let all = try await world.get("/admin/usage")
            #expect(all.status == 200, "\(all.text)")
            #expect(
                Self.days(all) == [
                    "2026-03-02 bob", "2026-03-01 Bob: again", "2026-03-01 alice",
                    "2026-03-01 bob", "2026-02-28 alice",
                ])
            #expect(
                all.part("totals") as? [String: Int] == [
                    "users": 3, "prompt_tokens": 5_000, "completion_tokens": 500, "questions": 15,
                    "uploads": 10, "uploaded_bytes": 15_000_000_000,
                ])
            var (seen, cursor): ([String], String) = ([], "")
            repeat {
                let page = try await world.get("/admin/usage?limit=2&cursor=\(cursor)")
                seen += Self.days(page)
                cursor = page.json["next_cursor"] as? String ?? ""
            } while !cursor.isEmpty
            #expect(seen == Self.days(all))
            for (query, count) in [
                ("from=2026-03-01", 4), ("to=2026-02-28", 1), ("user=alice", 2),
                ("from=2026-03-01&to=2026-03-01&user=bob", 1), ("from=2026-03-02&to=2026-03-01", 0),
                ("from=0001-01-01&to=9999-12-31", 5), ("user=nobody", 0),
            ] {
                let reply = try await world.get("/admin/usage?\(query)")
                #expect(Self.days(reply).count == count, "\(query): \(reply.text)")
                #expect(reply.json["total"] as? Int == count)
            }
        }
    }

    @Test("refuses what is no day, and what is there twice")
    func refuses() async throws {
        try await Self.run { world in
            for query in [
                "from=2026-02-29", "from=2026-13-01", "from=2026-1-01", "to=yesterday",
                "to=0000-01-01", "from=2026-03-01T00:00:00", "from=2026-03-00", "to=1e9",
                "from=2026-03-01&from=2026-03-02", "user=a&user=b", "cursor=nonsense",
                "user=\(String(repeating: "x", count: 256))", "user=a%00b",
            ] {
                let reply = try await world.get("/admin/usage?\(query)")
                #expect(reply.status == 422, "\(query)")
            }
            let leap = try await world.get("/admin/usage?from=2024-02-29")
            #expect(leap.status == 200)
        }
    }

    @Test("is a look that is written down, and an erased member's name goes from that too")
    func audited() async throws {
        try await Self.run { world in
            #expect(
                try await world.get("/admin/usage?user=alice&from=2026-03-01").status == 200)
            try await world.pool.transaction { transaction in
                let audit = AuditStore(transaction)
                try audit.forget(User.ID(rawValue: "alice"))
            }
            let audit = try await world.get("/admin/audit?action=usage.viewed")
            let items = audit.json["items"] as? [[String: Any]] ?? []
            let details = items.first?["details"] as? [String: String]
            #expect(details?["from"] == "2026-03-01")
            #expect(details?["user"]?.hasPrefix("erased:") == true)
        }
    }
}
