import Domain
import Foundation
import HTTPTypes
import HummingbirdTesting
import Postgres
import TestSupport
import Testing

@testable import Ingest

@Suite("Repeated uploads")
struct RepeatedUploadTests {
    @Test("answer with the first one's file: one row, one job, one set of bytes")
    func same() async throws {
        try await Self.uploading { world, alice, upload in
            let first = try await upload("text", "a.txt", alice + Self.key("k"))
            #expect(first.status == .created)
            let again = try await upload("text", "a.txt", alice + Self.key("k"))
            #expect(again.status == .created)
            #expect(try again.json()["id"] as? String == first.json()["id"] as? String)
            #expect(again.headers[.location] == first.headers[.location])
            let other = try await upload("text", "a.txt", alice + Self.key("l"))
            #expect(try other.json()["id"] as? String != first.json()["id"] as? String)
            #expect(try await world.rowCount(of: ["attachments"]) == 2)
            #expect(try await world.rowCount(of: ["jobs"]) == 2)
            #expect(world.storedFileCount == 2)
        }
    }

    @Test("are refused with another file, and keep nothing of it")
    func another() async throws {
        try await Self.uploading { world, alice, upload in
            _ = try await upload("text", "a.txt", alice + Self.key("k"))
            for (content, name) in [("other", "a.txt"), ("text", "b.txt")] {
                let refused = try await upload(content, name, alice + Self.key("k"))
                #expect(refused.status == .unprocessableContent)
                #expect(try refused.json()["code"] as? String == "idempotency_key_reused")
            }
            let long = String(repeating: "k", count: 201)
            let refused = try await upload("text", "c.txt", alice + Self.key(long))
            #expect(refused.status == .unprocessableContent)
            #expect(try refused.json()["code"] as? String == "invalid_idempotency_key")
            #expect(try await world.rowCount(of: ["attachments"]) == 1)
            #expect(world.storedFileCount == 1)
        }
    }

    @Test("at the same moment make one file")
    func together() async throws {
        try await Self.uploading { world, alice, upload in
            let ids = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        let made = try await upload("text", "a.txt", alice + Self.key("k"))
                        return try made.json()["id"] as? String
                    }
                }
                return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
            }
            #expect(ids.count == 1 && !ids.contains(nil))
            #expect(try await world.rowCount(of: ["attachments"]) == 1)
            #expect(try await world.rowCount(of: ["jobs"]) == 1)
            #expect(world.storedFileCount == 1)
        }
    }

    @Test("are the first ones after a failure, for another user, on another route, and a day later")
    func fresh() async throws {
        try await Self.uploading { world, alice, upload in
            let key = Self.key("k")
            let failed = try await upload("a\u{0}b", "a.txt", alice + key)
            #expect(failed.status == .unsupportedMediaType)
            let bob = try world.headers(IngestWorld.bob, isAdmin: true)
            let first = try await upload("text", "a.txt", alice + key)
            let others = try await upload("text", "a.txt", bob + key)
            try await world.serving { client in
                let shared = try await client.post(
                    form(Array("text".utf8), field: "file", filename: "a.txt"),
                    to: "/admin/uploads?wait=0", headers: bob + key)
                #expect(shared.status == .created)
            }
            try await world.ingest.pool.read {
                try $0.run("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'")
            }
            let later = try await upload("text", "a.txt", alice + key)
            let made = try [first, others, later].map { try $0.json()["id"] as? String }
            #expect(Set(made).count == 3)
            #expect(try await world.rowCount(of: ["attachments"]) == 4)
        }
    }

    @Test("do not bring back a file that was deleted")
    func deleted() async throws {
        try await Self.uploading { world, alice, upload in
            let first = try await upload("text", "a.txt", alice + Self.key("k"))
            let id = try #require(try first.json()["id"] as? String)
            try await world.serving { client in
                let gone = try await client.execute(
                    uri: "/attachments/\(id)", method: .delete, headers: alice)
                #expect(gone.status == .ok)
            }
            let again = try await upload("text", "a.txt", alice + Self.key("k"))
            #expect(again.status == .gone)
            #expect(try again.json()["code"] as? String == "attachment_deleted")
            #expect(world.storedFileCount == 1)
        }
    }

    private typealias Upload =
        @Sendable (_ content: String, _ name: String, HTTPFields) async throws -> TestResponse

    /// Routes alone: what they enqueue stays where it is.
    private static func uploading(
        _ body: @escaping @Sendable (IngestWorld, HTTPFields, @escaping Upload) async throws -> Void
    ) async throws {
        try await IngestWorld.make { world in
            let alice = try world.headers(IngestWorld.alice)
            try await world.serving { client in
                try await body(world, alice) { content, name, headers in
                    try await client.upload(
                        content, named: name, query: "?wait=0", headers: headers)
                }
            }
            try await world.cancelAllJobs()
        }
    }

    private static func key(_ text: String) -> HTTPFields {
        guard let name = HTTPField.Name("Idempotency-Key") else { return [:] }
        return [name: text]
    }
}
