import Domain
import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Postgres
import TestSupport
import Testing

@testable import Ingest

@Suite("A member's limits")
struct LimitTests {
    @Test(
        "hold however many uploads come at once, and what is refused leaves nothing",
        arguments: [
            (["USER_FILES_MAX": "2"], 10, "too_many_files", "You may keep 2 files and have 2."),
            (["USER_STORAGE_MB": "1"], 400_000, "storage_full", "may take 1.0 MB together"),
        ])
    func atOnce(
        settings: [String: String], byteCount: Int, code: String, detail: String
    ) async throws {
        try await Self.uploading(settings) { world, client, alice in
            let content = [UInt8](repeating: 0x61, count: byteCount)
            let answers = try await withThrowingTaskGroup(of: TestResponse.self) { group in
                for number in 1...6 {
                    group.addTask {
                        try await client.upload(
                            content, named: "\(number).txt", query: "?wait=0", headers: alice)
                    }
                }
                return try await group.reduce(into: [TestResponse]()) { $0.append($1) }
            }
            let kept = answers.filter { $0.status == .created }
            let refused = answers.filter { $0.status == .contentTooLarge }
            #expect(kept.count == 2 && refused.count == 4)
            for answer in refused {
                #expect(try answer.json()["code"] as? String == code)
                #expect((try answer.json()["detail"] as? String)?.contains(detail) == true)
            }
            #expect(world.storedFileCount == 2)
            #expect(try await world.rowCount(of: ["attachments", "documents", "jobs"]) == 6)
            #expect(try await world.rowCount(of: ["upload_reservations"]) == 0)
            // Room that is made is there at once.
            let id = try #require(try kept.first?.json()["id"] as? String)
            _ = try await client.execute(
                uri: "/attachments/\(id)", method: .delete, headers: alice)
            let next = try await client.upload(
                content, named: "next.txt", query: "?wait=0", headers: alice)
            #expect(next.status == .created)
            let bob = try world.headers(IngestWorld.bob)
            let others = try await client.upload(
                content, named: "b.txt", query: "?wait=0", headers: bob)
            #expect(others.status == .created)
        }
    }

    @Test("count uploads under way, and say when to try again")
    func underWay() async throws {
        try await Self.uploading(["USER_UPLOADS_MAX": "1"]) { world, client, alice in
            let principal = Principal(user: IngestWorld.alice)
            let allowance = world.ingest.allowance
            let other = try await allowance.reserve(for: principal, key: nil, route: "")
            let refused = try await client.upload("text", named: "a.txt", headers: alice)
            #expect(refused.status == .tooManyRequests)
            #expect(refused.headers[.retryAfter] == "5")
            #expect(try refused.json()["code"] as? String == "too_many_uploads")
            await allowance.release(other, for: principal)
            for content in [[UInt8]("text".utf8), [0], [UInt8]("text".utf8)] {
                let made = try await client.upload(
                    content, named: "a.txt", query: "?wait=0", headers: alice)
                #expect(made.status != .tooManyRequests)
            }
            // One whose process died is not counted for ever.
            _ = try await allowance.reserve(for: principal, key: nil, route: "")
            try await world.ingest.pool.read {
                try $0.run("UPDATE upload_reservations SET expires_at = now()")
            }
            let late = try await client.upload(
                "text", named: "a.txt", query: "?wait=0", headers: alice)
            #expect(late.status == .created)
        }
    }

    @Test("do not refuse the repetition of an upload that was answered")
    func repeated() async throws {
        try await Self.uploading(["USER_FILES_MAX": "1"]) { world, client, alice in
            var headers = alice
            headers[try #require(HTTPField.Name("Idempotency-Key"))] = "k"
            let first = try await client.upload(
                "text", named: "a.txt", query: "?wait=0", headers: headers)
            let again = try await client.upload(
                "text", named: "a.txt", query: "?wait=0", headers: headers)
            #expect(again.status == .created)
            #expect(try again.json()["id"] as? String == first.json()["id"] as? String)
            let other = try await client.upload("text", named: "a.txt", headers: alice)
            #expect(other.status == .contentTooLarge)
        }
    }

    @Test("are told with what there is of them")
    func usage() async throws {
        let settings = ["USER_FILES_MAX": "7", "USER_STORAGE_MB": "3", "USER_UPLOADS_MAX": "4"]
        try await Self.uploading(settings) { world, client, alice in
            _ = try await client.upload("12345", named: "a.txt", query: "?wait=0", headers: alice)
            _ = try await world.converse("Question?", "Answer.", by: IngestWorld.alice)
            let answer = try await client.execute(
                uri: "/user/usage", method: .get, headers: alice)
            #expect(
                String(buffer: answer.body) == """
                    {"bytes":5,"files":1,"quotas":{"bytes":3145728,"files":7,\
                    "upload_bytes":1048576,"uploads":4},\
                    "tokens":{"completion_tokens":3,"prompt_tokens":40},"uploads":0}
                    """)
        }
    }

    /// Routes alone: what they enqueue stays where it is.
    private static func uploading(
        _ settings: [String: String],
        _ body:
            @escaping @Sendable (IngestWorld, any TestClientProtocol, HTTPFields) async throws ->
            Void
    ) async throws {
        try await IngestWorld.make(settings: settings) { world in
            let alice = try world.headers(IngestWorld.alice)
            try await world.serving { try await body(world, $0, alice) }
            try await world.cancelAllJobs()
        }
    }
}
