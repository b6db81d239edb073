import Database
import Domain
import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Postgres
import TestSupport
import Testing

@testable import Ingest

@Suite("Uploads")
struct UploadTests {
    @Test("stores, indexes, lists, gives back and deletes a file, and leaves nothing of it")
    func wholeLife() async throws {
        try await IngestWorld.make { world in
            try await world.working {
                try await world.serving { client in
                    let alice = try world.headers(IngestWorld.alice)
                    let text = "# Meters\n\nMeters are read every quarter of an hour.\n"
                    let made = try await client.upload(text, named: "città.md", headers: alice)
                    #expect(made.status == .created)
                    let item = try made.json()
                    let id = try #require(item["id"] as? String)
                    #expect(item["status"] as? String == "indexed")
                    #expect(item["filename"] as? String == "città.md")
                    #expect(item["content_type"] as? String == "text/markdown")
                    #expect(item["size"] as? Int == text.utf8.count)
                    #expect(item["scope"] as? String == "user")
                    #expect(item["uri"] as? String == "/attachments/\(id)/raw")
                    #expect(made.headers[.location] == "/attachments/\(id)/raw")

                    let list = try await client.execute(
                        uri: "/attachments", method: .get, headers: alice
                    ).json()
                    let items = try #require(list["items"] as? [[String: Any]])
                    #expect(items.map { $0["id"] as? String } == [id])
                    #expect(items.first?["chunk_count"] as? Int == 1)
                    #expect(list["total"] as? Int == 1)

                    let raw = try await client.execute(
                        uri: "/attachments/\(id)/raw", method: .get, headers: alice)
                    #expect(String(buffer: raw.body) == text)
                    let document = try #require(Document.ID(id))
                    #expect(try await world.pointCount(of: document) == 1)

                    let gone = try await client.execute(
                        uri: "/attachments/\(id)", method: .delete, headers: alice)
                    #expect(try gone.json()["status"] as? String == "deleted")
                    try await eventually { try await world.pointCount(of: document) == 0 }
                    let after = try await client.execute(
                        uri: "/attachments/\(id)", method: .get, headers: alice)
                    #expect(after.status == .notFound)
                    try await world.expectAllJobsFinished()
                    #expect(world.storedFileCount == 0)
                    #expect(try await world.rowCount(of: ["documents", "embeddings"]) == 0)
                }
            }
        }
    }

    @Test("gives parts, unchanged answers and safe headers")
    func download() async throws {
        try await IngestWorld.make { world in
            try await world.serving { client in
                let alice = try world.headers(IngestWorld.alice)
                let made = try await client.upload(
                    "0123456789", named: "a.txt", query: "?wait=0", headers: alice)
                let item = try made.json()
                #expect(item["status"] as? String == "queued")
                let uri = try #require(item["uri"] as? String)
                func get(_ more: HTTPFields) async throws -> TestResponse {
                    try await client.execute(uri: uri, method: .get, headers: alice + more)
                }
                let whole = try await get([:])
                let tag = try #require(whole.headers[.eTag])
                #expect(whole.headers[.contentLength] == "10")
                #expect(whole.headers[.contentDisposition]?.hasPrefix("inline;") == true)
                #expect(
                    whole.headers[.contentSecurityPolicy]
                        == "default-src 'none'; frame-ancestors 'none'; sandbox")
                let part = try await get([.range: "bytes=2-4"])
                #expect(part.status == .partialContent)
                #expect(String(buffer: part.body) == "234")
                #expect(part.headers[.contentRange] == "bytes 2-4/10")
                let beyond = try await get([.range: "bytes=10-"])
                #expect(beyond.status == .rangeNotSatisfiable)
                #expect(beyond.headers[.contentRange] == "bytes */10")
                #expect(try await get([.ifNoneMatch: tag]).status == .notModified)
                let other = try await get([.range: "bytes=2-4", .ifRange: "\"other\""])
                #expect(other.status == .ok)
                try await world.cancelAllJobs()
            }
        }
    }

    @Test("refuses what cannot be read, too large, empty or broken, and keeps nothing of it")
    func refusals() async throws {
        try await IngestWorld.make { world in
            try await world.serving { client in
                let alice = try world.headers(IngestWorld.alice)
                func status(_ content: [UInt8]) async throws -> Int {
                    try await client.upload(content, named: "a.md", headers: alice).status.code
                }
                #expect(try await status([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0, 1]) == 415)
                #expect(try await status(Array("%!PS-Adobe-3.0".utf8)) == 415)
                #expect(try await status([0x61, 0x62, 0x00]) == 415)
                #expect(try await status([]) == 422)
                let large = try await client.upload(
                    [UInt8](repeating: 0x61, count: 1_100_000), named: "a.md", headers: alice)
                #expect(large.status.code == 413)
                #expect(try large.json()["detail"] as? String == "File too large (max 1MB)")
                let whole = form([UInt8]("text".utf8), field: "file", filename: "a.md")
                let cut = try await client.post(Array(whole.dropLast(6)), headers: alice)
                #expect(cut.status.code == 422)
                let other = try await client.post(
                    form([0x61], field: "other", filename: "a.md"), headers: alice)
                #expect(other.status.code == 422)
                let json = try await client.execute(
                    uri: "/upload", method: .post,
                    headers: alice + [.contentType: "application/json"],
                    body: ByteBuffer(string: "{}"))
                #expect(json.status.code == 422)
                #expect(world.storedFileCount == 0)
                #expect(try await world.rowCount(of: ["documents", "attachments", "jobs"]) == 0)
            }
        }
    }

    @Test("answers for somebody else's file as for an unknown one, on every route")
    func foreign() async throws {
        try await IngestWorld.make { world in
            try await world.serving { client in
                let alice = try world.headers(IngestWorld.alice)
                let bob = try world.headers(IngestWorld.bob)
                let made = try await client.upload(
                    "secret", named: "a.txt", query: "?wait=0", headers: alice)
                let id = try #require(try made.json()["id"] as? String)
                for (method, suffix) in [
                    (HTTPRequest.Method.get, ""), (.get, "/raw"), (.delete, ""),
                ] {
                    var answers: [String] = []
                    for name in [id, UUID().uuidString.lowercased(), "no-id"] {
                        let answer = try await client.execute(
                            uri: "/attachments/\(name)\(suffix)", method: method, headers: bob)
                        #expect(answer.status == .notFound)
                        var body = try answer.json()
                        body["request_id"] = nil
                        answers.append("\(body.sorted { $0.key < $1.key })")
                    }
                    #expect(Set(answers).count == 1)
                }
                let list = try await client.execute(
                    uri: "/attachments?include_shared=true", method: .get, headers: bob)
                #expect(try list.json()["total"] as? Int == 0)
                try await world.cancelAllJobs()
            }
        }
    }

    @Test("lets operators alone share a file with everybody, and take it away")
    func shared() async throws {
        try await IngestWorld.make { world in
            try await world.serving { client in
                let bob = try world.headers(IngestWorld.bob)
                let admin = try world.headers(IngestWorld.alice, isAdmin: true)
                let file = form(Array("For all.".utf8), field: "file", filename: "a.txt")
                let path = "/admin/uploads?wait=0"
                #expect(try await client.post(file, to: path, headers: bob).status == .forbidden)
                let made = try await client.post(file, to: path, headers: admin)
                #expect(try made.json()["scope"] as? String == "system")
                let uri = "/attachments/" + (try made.json()["id"] as? String ?? "")
                #expect(
                    try await client.execute(uri: uri, method: .get, headers: bob).status == .ok)
                let refused = try await client.execute(uri: uri, method: .delete, headers: bob)
                #expect(refused.status == .forbidden)
                for (query, count) in [("", 0), ("?include_shared=true", 1)] {
                    let list = try await client.execute(
                        uri: "/attachments\(query)", method: .get, headers: bob)
                    #expect(try list.json()["total"] as? Int == count)
                }
                let gone = try await client.execute(uri: uri, method: .delete, headers: admin)
                #expect(gone.status == .ok)
                try await world.cancelAllJobs()
            }
        }
    }

    @Test("pages stably while files come and go")
    func paging() async throws {
        try await IngestWorld.make { world in
            try await world.serving { client in
                let alice = try world.headers(IngestWorld.alice)
                for number in 1...5 {
                    _ = try await client.upload(
                        "text", named: "\(number).txt", query: "?wait=0", headers: alice)
                }
                var names: [String] = []
                var query = "?limit=2"
                while true {
                    let page = try await client.execute(
                        uri: "/attachments\(query)", method: .get, headers: alice
                    ).json()
                    let items = page["items"] as? [[String: Any]] ?? []
                    names += items.compactMap { $0["filename"] as? String }
                    guard let cursor = page["next_cursor"] as? String else { break }
                    query = "?limit=2&cursor=\(cursor)"
                    _ = try await client.upload(
                        "text", named: "new.txt", query: "?wait=0", headers: alice)
                }
                #expect(names == ["5.txt", "4.txt", "3.txt", "2.txt", "1.txt"])
                try await world.cancelAllJobs()
            }
        }
    }
}
