import Database
import Domain
import Foundation
import HTTPService
import HTTPTypes
import HummingbirdTesting
import NIOCore
import ObjectStorage
import Postgres
import TestSupport
import Testing

@testable import Ingest

@Suite("Erasing a member")
struct UserErasureTests {
    @Test("leaves no word of theirs in any table, point or file, and everything of others")
    func wholly() async throws {
        try await IngestWorld.make { world in
            try await world.working {
                try await world.serving { client in
                    var alice = try world.headers(IngestWorld.alice)
                    let bob = try world.headers(IngestWorld.bob)
                    alice[try #require(HTTPField.Name("Idempotency-Key"))] = "zanzibar-key"
                    let made = try await client.upload(
                        "# Zanzibar\n\nThe zanzibar tariff is secret.", named: "zanzibar.md",
                        headers: alice)
                    let id = try #require(Attachment.ID(made.json()["id"] as? String ?? ""))
                    let others = try await client.upload(
                        "The tariff of bob.", named: "bob.md", headers: bob)
                    #expect(try others.json()["status"] as? String == "indexed")
                    _ = try await world.converse(
                        "Zanzibar?", "Zanzibar it is [1].", by: IngestWorld.alice, about: [id])
                    let kept = try await world.converse("Bob?", "Bob.", by: IngestWorld.bob)
                    // The test would see it if it were there.
                    #expect(try await world.tables(with: "zanzibar").count >= 6)

                    let gone = try await client.execute(
                        uri: "/user", method: .delete, headers: alice)
                    #expect(
                        String(buffer: gone.body)
                            == #"{"attachments":1,"conversations":1,"messages":2,"status":"deleted"}"#
                    )
                    let list = try await client.execute(
                        uri: "/attachments", method: .get, headers: alice)
                    #expect(try list.json()["total"] as? Int == 0)
                    try await world.expectAllJobsFinished()
                    #expect(try await world.tables(with: "zanzibar") == [])
                    #expect(try await world.tables(with: "alice") == [])
                    let record = try #require(try await world.audited(.userErased).first)
                    #expect(record.details == ["attachments": "1", "conversations": "1"])
                    #expect(record.author.actor == "erased:2bd806c97f0e00af")
                    #expect(try await world.pointCount(of: Document.ID(rawValue: id.rawValue)) == 0)
                    #expect(world.storedFileCount == 1)
                    let principal = Principal(user: IngestWorld.bob)
                    let stays = try await world.ingest.pool.read {
                        try ConversationStore($0).find(kept, for: principal)
                    }
                    #expect(stays?.messageCount == 2)
                    #expect(try await world.shownTexts() == ["The tariff of bob."])
                    let again = try await client.execute(
                        uri: "/user", method: .delete, headers: alice)
                    #expect(try again.json()["attachments"] as? Int == 0)
                }
            }
        }
    }

    @Test("holds from its commit on, with the vector engine and the files away")
    func away() async throws {
        try await IngestWorld.make(settings: ["QDRANT_URL": "http://127.0.0.1:1"]) { world in
            try await world.serving { client in
                let alice = try world.headers(IngestWorld.alice)
                _ = try await client.upload(
                    "Zanzibar", named: "zanzibar.txt", query: "?wait=0", headers: alice)
                let running = try await world.converse("Zanzibar?", "", by: IngestWorld.alice)
                try await world.ingest.pool.read { session in
                    try session.run(
                        """
                        UPDATE messages SET status = 'generating', finish_reason = NULL,
                            lease_expires_at = now() + interval '1 minute'
                        WHERE conversation_id = \(running) AND role = 'assistant'
                        """)
                }
                try FileManager.default.removeItem(at: world.folder)
                let gone = try await client.execute(
                    uri: "/user", method: .delete, headers: alice)
                #expect(gone.status == .ok)
                #expect(try await world.tables(with: "zanzibar") == [])
                let usage = try await client.execute(
                    uri: "/user/usage", method: .get, headers: alice)
                #expect(try usage.json()["files"] as? Int == 0)
            }
            try await world.cancelAllJobs()
        }
    }

    @Test("keeps an upload that is under way from landing")
    func underWay() async throws {
        try await IngestWorld.make { world in
            try await world.serving { client in
                let alice = Principal(user: IngestWorld.alice)
                let reservation = try await world.ingest.allowance.reserve(
                    for: alice, key: nil, route: "")
                let stored = try await world.ingest.storage.put(
                    key: "uploads/late", bytes: Self.bytes, byteCountMax: 100)
                let gone = try await client.execute(
                    uri: "/user", method: .delete, headers: try world.headers(IngestWorld.alice))
                #expect(gone.status == .ok)
                let received = ReceivedFile(
                    filename: Filename("late.txt"), contentType: "text/plain",
                    storageKey: "uploads/late", byteCount: stored.byteCount, sha256: stored.sha256)
                await #expect(throws: Problem.erasedMeanwhile) {
                    try await world.ingest.keeping.keep(
                        received, owner: .user(alice.user), for: alice, as: nil, reservation)
                }
                #expect(world.storedFileCount == 0)
                #expect(try await world.rowCount(of: ["documents", "attachments", "jobs"]) == 0)
            }
        }
    }

    @Test("of what is older than the settings say happens by itself")
    func retention() async throws {
        let settings = [
            "RETENTION_UPLOAD_DAYS": "30", "RETENTION_CONVERSATION_DAYS": "7",
            "RETENTION_AUDIT_DAYS": "365",
        ]
        try await IngestWorld.make(settings: settings) { world in
            try await world.working {
                try await world.serving { client in
                    let alice = try world.headers(IngestWorld.alice)
                    for name in ["old.txt", "new.txt"] {
                        _ = try await client.upload("About \(name)", named: name, headers: alice)
                    }
                    let quiet = try await world.converse("Old?", "Yes.", by: IngestWorld.alice)
                    let lively = try await world.converse("New?", "Yes.", by: IngestWorld.alice)
                    try await world.ingest.pool.read { session in
                        try session.run(
                            """
                            UPDATE documents SET created_at = now() - interval '31 days'
                            WHERE title = 'old.txt'
                            """)
                        try session.run(
                            """
                            UPDATE conversations SET last_message_at = now() - interval '8 days'
                            WHERE id = \(quiet)
                            """)
                    }
                    for days in [366, 364] {
                        try await world.recordDeletion(days: days)
                    }
                    let schedule = world.ingest.retentionSchedule
                    await schedule.enqueueIfDue()
                    await schedule.enqueueIfDue()
                    try await world.expectAllJobsFinished()
                    let jobs = try await world.ingest.pool.read {
                        try $0.run(
                            "SELECT id FROM jobs WHERE kind = \(EnforceRetentionJob.kind)")
                    }
                    #expect(jobs.count == 1)
                    #expect(try await world.shownTexts() == ["About new.txt"])
                    let left = try await world.ingest.pool.read {
                        try ConversationStore($0).list(
                            for: Principal(user: IngestWorld.alice), after: nil, limit: 9)
                    }
                    #expect(left.map(\.id) == [lively])
                    #expect(try await world.audited(.attachmentDeleted).map(\.subject) == ["364"])
                    for action in [
                        AuditAction.uploadsExpired, .conversationsExpired, .auditExpired,
                    ] {
                        let records = try await world.audited(action)
                        #expect(records.map(\.details) == [["count": "1"]], "\(action)")
                        #expect(records.map(\.author) == [.retention])
                    }
                }
            }
        }
    }

    private static var bytes: AsyncStream<ByteBuffer> {
        AsyncStream { stream in
            stream.yield(ByteBuffer(string: "late"))
            stream.finish()
        }
    }
}

extension IngestWorld {
    func audited(_ action: AuditAction) async throws -> [AuditRecord] {
        try await ingest.pool.read { session in
            try AuditStore(session).list(.init(action: action), before: nil, limit: 100)
        }
    }

    /// As if somebody had deleted something that many days ago.
    func recordDeletion(days: Int) async throws {
        try await ingest.pool.transaction { transaction in
            try AuditStore(transaction).record(
                .attachmentDeleted, "\(days)",
                by: AuditAuthor(actor: "somebody", isAdmin: false, requestID: nil))
            try transaction.run(
                """
                UPDATE audit_records SET created_at = now() - make_interval(days => \(days)::int)
                WHERE subject = \(String(days))
                """)
        }
    }
}
