import Database
import Domain
import HTTPTypes
import HummingbirdTesting
import JobQueue
import NIOCore
import Postgres
import TestSupport
import Testing

@testable import Ingest

@Suite("Cancelled indexing")
struct CancellingTests {
    @Test("of a file that nobody has begun ends it as failed, and tells who waits for it")
    func waiting() async throws {
        try await IngestWorld.make { world in
            try await world.serving { client in
                let alice = try world.headers(IngestWorld.alice)
                let made = try await client.upload(
                    "Some text.", named: "a.txt", query: "?wait=0", headers: alice)
                let id = try #require(try made.json()["id"] as? String)
                try await world.cancelJobs(about: id)
                try await world.working {
                    let events = try await client.execute(
                        uri: "/attachments/\(id)/events", method: .get, headers: alice)
                    let text = String(buffer: events.body)
                    #expect(text.contains(#""code":"cancelled""#), "\(text)")
                    #expect(text.contains(#""status":"failed""#))
                }
                #expect(try await world.jobStates(about: id) == ["cancelled"])
                #expect(try await world.rowCount(of: ["chunks", "recognised_pages"]) == 0)
            }
        }
    }

    @Test("of a file that a worker holds stops the worker, and nothing of it is shown")
    func held() async throws {
        let model = EmbeddingServer()
        let release = Signal()
        try await IngestWorld.make(model, leaseSeconds: 600) { world in
            try await world.working {
                try await world.serving { client in
                    let alice = try world.headers(IngestWorld.alice)
                    model.hold(until: release)
                    let made = try await client.upload(
                        "Some text.", named: "a.txt", query: "?wait=0", headers: alice)
                    let id = try #require(try made.json()["id"] as? String)
                    try await model.wasAsked.wait()
                    try await world.cancelJobs(about: id)
                    try await world.expectAllJobsFinished()
                    release.fire()
                    let item = try await client.execute(
                        uri: "/attachments/\(id)", method: .get, headers: alice
                    ).json()
                    #expect(item["status"] as? String == "failed")
                    #expect((item["error"] as? [String: String])?["code"] == "cancelled")
                    #expect(try await world.jobStates(about: id) == ["cancelled"])
                    #expect(try await world.shownTexts() == [])
                }
            }
        }
    }

    @Test("of a file that is shown already leaves it as it was")
    func again() async throws {
        try await IngestWorld.make { world in
            try await world.working {
                try await world.serving { client in
                    let alice = try world.headers(IngestWorld.alice)
                    let made = try await client.upload(
                        "Some text.", named: "a.txt", headers: alice)
                    let id = try #require(try made.json()["id"] as? String)
                    let attachment = try #require(Domain.Attachment.ID(id))
                    try await world.ingest.pool.transaction { transaction in
                        let again = try JobQueue().enqueue(
                            IndexAttachmentJob.kind, IndexAttachmentJob(attachmentID: attachment),
                            subject: id, in: transaction)
                        try AttachmentStore(transaction).setProcessing(attachment)
                        _ = try JobQueue().requestCancel(of: again, in: transaction)
                    }
                    try await world.expectAllJobsFinished()
                    let item = try await client.execute(
                        uri: "/attachments/\(id)", method: .get, headers: alice
                    ).json()
                    #expect(item["status"] as? String == "indexed")
                    #expect(try await world.shownTexts() == ["Some text."])
                    #expect(try await world.jobStates(about: id) == ["done", "cancelled"])
                }
            }
        }
    }

    @Test("of a page lets its sync go on without it")
    func page() async throws {
        let model = EmbeddingServer()
        let release = Signal()
        try await IngestWorld.make(model) { world in
            try await world.working {
                try await world.sync(["a.md": "Old.", "b.md": "Old too."])
                model.hold(until: release)
                async let synced: Void = world.sync(["a.md": "New.", "b.md": "New too."])
                try await model.wasAsked.wait()
                let id = try await world.ingest.pool.read { session in
                    try session.run(
                        """
                        SELECT document_id::text AS id FROM training_sync_pages
                        WHERE path = 'a.md' AND state = 'pending'
                        """
                    ).first?.get("id", as: String.self)
                }
                try await world.cancelJobs(about: try #require(id))
                release.fire()
                try await synced
                try await world.expectAllJobsFinished()
                #expect(try await world.shownTexts() == ["New too.", "Old."])
                let failed = try await world.ingest.pool.read {
                    try $0.run("SELECT failed_count FROM training_syncs ORDER BY sequence").map {
                        try $0.get("failed_count", as: Int.self)
                    }
                }
                #expect(failed == [0, 1])
            }
        }
    }
}

extension IngestWorld {
    /// As an operator does it.
    fileprivate func cancelJobs(about subject: String) async throws {
        try await ingest.pool.transaction { transaction in
            let open = try transaction.run(
                """
                SELECT id FROM jobs WHERE subject = \(subject) AND state IN ('ready', 'running')
                """)
            for row in open {
                let id = JobID(rawValue: try row.get("id"))
                let isAsked = try JobQueue().requestCancel(of: id, in: transaction)
                #expect(isAsked)
            }
            #expect(!open.isEmpty)
        }
    }

    fileprivate func jobStates(about subject: String) async throws -> [String] {
        try await ingest.pool.read {
            try $0.run("SELECT state FROM jobs WHERE subject = \(subject) ORDER BY id").map {
                try $0.get("state", as: String.self)
            }
        }
    }
}
