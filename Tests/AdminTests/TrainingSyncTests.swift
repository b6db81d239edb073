import Database
import Domain
import Foundation
import Git
import NIOCore
import NIOPosix
import Postgres
import TestSupport
import Testing

@testable import Admin

@Suite("Syncing training materials")
struct TrainingSyncTests {
    private static let path = "/admin/training-materials/sync"

    private static func noURL(_ remote: TestRemote) -> String? { nil }
    private static func nowhere(_ remote: TestRemote) -> String? { remote.folder + "/nowhere" }

    @Test("indexes all pages, then nothing, then what changed")
    func incremental() async throws {
        try await AdminWorld.run { world in
            let first = try await world.post(Self.path)
            #expect(first.status == 200, "\(first.text)")
            #expect(first.part("git")["previous_commit"] is NSNull)
            #expect(first.part("git")["current_commit"] as? String == (try world.remote.head()))
            #expect(first.part("git")["updated"] as? Bool == true)
            #expect(first.part("git")["target"] as? String == "origin/main")
            #expect(first.part("ingest")["indexed"] as? Int == 2)
            #expect(first.part("ingest")["skipped"] as? Int == 0)
            #expect(first.part("ingest")["pending"] == nil)
            let before = try await world.shown()
            #expect(Set(before.keys) == ["en/tariff.md", "it/contatori.markdown"])

            let second = try await world.post(Self.path, "{}", type: "text/plain")
            #expect(second.part("ingest")["indexed"] as? Int == 0)
            #expect(second.part("ingest")["skipped"] as? Int == 2)
            #expect(second.part("git")["updated"] as? Bool == false)
            #expect(try await world.shown() == before)

            try world.remote.write("# Tariff\n\nPaid yearly.\n", to: "en/tariff.md")
            try FileManager.default.removeItem(
                atPath: world.remote.author + "/it/contatori.markdown")
            try world.remote.write("# Privacy\n\nData stays.\n", to: "en/privacy.md")
            try world.remote.publish("Edit")
            let third = try await world.post(Self.path, #"{"target_ref": null}"#)
            #expect(third.part("ingest")["indexed"] as? Int == 2)
            #expect(third.part("ingest")["removed"] as? Int == 1)
            let after = try await world.shown()
            #expect(Set(after.keys) == ["en/tariff.md", "en/privacy.md"])
            #expect(after["en/tariff.md"] != before["en/tariff.md"])
        }
    }

    @Test("removes at once when nothing is to be indexed")
    func onlyRemoved() async throws {
        try await AdminWorld.run { world in
            _ = try await world.post(Self.path)
            try FileManager.default.removeItem(atPath: world.remote.author + "/en/tariff.md")
            try world.remote.publish("Remove")
            let reply = try await world.post(Self.path)
            #expect(reply.status == 200)
            #expect(reply.part("ingest")["removed"] as? Int == 1)
            #expect(try await world.shown().count == 1)
            // A page that comes back while its old self is being erased is another document.
            try world.remote.write("# Tariff\n\nBack.\n", to: "en/tariff.md")
            try world.remote.publish("Back")
            #expect(try await world.post(Self.path).part("ingest")["indexed"] as? Int == 1)
            #expect(try await world.shown().count == 2)
        }
    }

    @Test("keeps the old content of a page that fails, and tries it again next time")
    func failing() async throws {
        try await AdminWorld.run { world in
            _ = try await world.post(Self.path)
            let before = try await world.shown()
            try world.remote.write("broken", to: "en/tariff.md")
            try world.remote.write("# New\n\nNew.\n", to: "new.md")
            try world.remote.publish("Break")
            for _ in 0..<2 {
                let reply = try await world.post(Self.path)
                #expect(reply.status == 200)
                #expect(reply.part("ingest")["failed"] as? Int == 1)
                #expect(reply.part("ingest")["status"] as? String == "partial")
                #expect(try await world.shown()["en/tariff.md"] == before["en/tariff.md"])
            }
        }
    }

    @Test("shows the pages of another repository in place of the old one's")
    func otherRepository() async throws {
        try await AdminWorld.run { world in
            _ = try await world.post(Self.path)
            let other = try TestRemote()
            try FileManager.default.removeItem(atPath: other.author + "/en/tariff.md")
            try other.publish("Fewer")
            let clone = GitClone(
                of: try GitRemoteURL(other.bare), at: world.remote.clone, allowsPrivate: true,
                deadline: .seconds(30), executable: try environment("TEST_BINARIES") + "/admin")
            let materials = TrainingMaterials(
                pool: world.pool, queue: world.admin.materials.queue,
                listener: world.admin.listener, clone: clone, site: nil,
                defaultTarget: "main", logger: .test)
            let report = try await materials.sync(to: nil, by: .start)
            #expect(report.isDone)
            #expect(report.git.previousCommit == nil)
            #expect(report.ingest.removed == 2)
            #expect(report.ingest.indexed == 1)
            let shown = try await world.shown()
            #expect(Set(shown.keys) == ["it/contatori.markdown"])
        }
    }

    @Test("refuses what is no ref, and refs that are not there, and changes nothing")
    func refs() async throws {
        try await AdminWorld.run { world in
            for ref in ["-x", "a..b", "a b", "origin/none", "deadbeef"] {
                let reply = try await world.post(Self.path, #"{"target_ref": "\#(ref)"}"#)
                #expect(reply.status == 422, "\(ref)")
            }
            #expect(try await world.shown().isEmpty)
            #expect(try await world.post(Self.path, #"{"target_ref": "main"}"#).status == 200)
            #expect(try await world.post(Self.path, #"{"target_ref": 7}"#).status == 422)
            #expect(try await world.post(Self.path, "x=1", type: "text/plain").status == 415)
        }
    }

    @Test("says that it cannot, and keeps what is shown")
    func conflicts() async throws {
        try await AdminWorld.run { world in
            _ = try await world.post(Self.path)
            try Data("mine".utf8).write(to: URL(filePath: world.remote.clone + "/notes.txt"))
            let reply = try await world.post(Self.path)
            #expect(reply.status == 409)
            #expect(reply.code == "local_changes")
            #expect(try await world.shown().count == 2)
        }
        try await AdminWorld.run(url: Self.noURL) { world in
            let reply = try await world.post(Self.path)
            #expect(reply.status == 409)
            #expect(reply.code == "no_repository")
        }
        try await AdminWorld.run(url: Self.nowhere) { world in
            let reply = try await world.post(Self.path)
            #expect(reply.status == 502)
        }
    }

    @Test("answers 202 while pages are pending, and 409 to the next sync")
    func pending() async throws {
        try await AdminWorld.run(works: false) { world in
            let report = try await world.admin.materials.sync(to: nil, by: .start, waitMax: .zero)
            #expect(!report.isDone)
            #expect(report.ingest.pending == 2)
            let reply = try await world.post(Self.path)
            #expect(reply.status == 409)
            #expect(reply.code == "sync_running")
            #expect(try await world.shown().isEmpty)
        }
    }

    @Test("gives up a silent remote in time")
    func silentRemote() async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0) { $0.eventLoop.makeSucceededVoidFuture() }
        let port = try #require(server.channel.localAddress?.port)
        func silent(_ remote: TestRemote) -> String? { "http://127.0.0.1:\(port)/x.git" }
        try await AdminWorld.run(url: silent, gitSeconds: "2") { world in
            let reply = try await within(.seconds(60)) { try await world.post(Self.path) }
            #expect(reply.status == 502, "\(reply.text)")
            #expect(try await world.get("/admin/jobs").status == 200)
        }
        try await server.channel.close()
    }
}
