import Database
import Domain
import Foundation
import HTTPTypes
import HummingbirdTesting
import JobQueue
import Postgres
import TestSupport
import Testing

@testable import Ingest

@Suite("Where the indexing of a file is")
struct IndexingStateTests {
    /// Uploaded, and worked on by nobody.
    private struct Waiting {
        let world: IngestWorld
        let client: any TestClientProtocol
        let headers: HTTPFields
        let ids: [String]

        func item(_ index: Int) async throws -> [String: Any] {
            try await client.execute(
                uri: "/attachments/\(ids[index])", method: .get, headers: headers
            ).json()
        }

        func indexing(_ index: Int) async throws -> NSDictionary {
            try #require(try await item(index)["indexing"] as? NSDictionary)
        }

        /// Changes the job of one of them.
        func set(_ change: SQL, of index: Int) async throws {
            let subject = ids[index]
            try await world.ingest.pool.read {
                try $0.run("UPDATE jobs SET \(sql: change) WHERE subject = \(subject)")
            }
        }

        func workerWasSeen(before seconds: Int) async throws {
            try await world.ingest.pool.read { session in
                try session.run("DELETE FROM job_workers")
                try session.run(
                    """
                    INSERT INTO job_workers (id, name, kinds, heartbeat_at)
                    VALUES (gen_random_uuid(), 'test', \([IndexAttachmentJob.kind])::text[],
                        now() - make_interval(secs => \(seconds)::double precision))
                    """)
            }
        }
    }

    private func waiting(
        _ count: Int, _ body: @escaping @Sendable (Waiting) async throws -> Void
    ) async throws {
        try await IngestWorld.make { world in
            try await world.serving { client in
                let headers = try world.headers(IngestWorld.alice)
                var ids: [String] = []
                for number in 1...count {
                    let made = try await client.upload(
                        "Text \(number).", named: "\(number).txt", query: "?wait=0",
                        headers: headers)
                    ids.append(try #require(made.json()["id"] as? String))
                }
                try await body(Waiting(world: world, client: client, headers: headers, ids: ids))
                try await world.cancelAllJobs()
            }
        }
    }

    private func expected(
        _ state: String, reason: String? = nil, position: Int? = nil
    ) -> NSDictionary {
        [
            "state": state, "reason": reason ?? NSNull(), "position": position ?? NSNull(),
        ] as NSDictionary
    }

    @Test("a file in the queue has a position")
    func queued() async throws {
        try await waiting(3) { files in
            for index in 0..<3 {
                #expect(
                    try await files.indexing(index) == expected("queued", position: index + 1))
            }
            #expect(try await files.item(0)["progress"] as? Double == 0)
            // One that is worked on is not in it any more.
            try await files.set(
                "state = 'running', claimable_at = now() + interval '20 min'", of: 0)
            #expect(try await files.indexing(2) == expected("queued", position: 2))
        }
    }

    @Test("without a worker it starves after half a minute, and no sooner")
    func starved() async throws {
        try await waiting(1) { files in
            #expect(try await files.indexing(0) == expected("queued", position: 1))
            try await files.set("claimable_at = now() - interval '40 s'", of: 0)
            #expect(try await files.indexing(0) == expected("starved", position: 1))
            try await files.workerWasSeen(before: 60)
            #expect(try await files.indexing(0) == expected("starved", position: 1))
            try await files.workerWasSeen(before: 5)
            #expect(try await files.indexing(0) == expected("queued", position: 1))
        }
    }

    @Test("one that is worked on says how far it is, and when it comes no further")
    func processing() async throws {
        try await waiting(1) { files in
            try await files.set(
                """
                state = 'running', claimable_at = now() + interval '20 min', progress = 0.5,
                progressed_at = now() - interval '100 s'
                """, of: 0)
            #expect(try await files.indexing(0) == expected("processing"))
            #expect(try await files.item(0)["progress"] as? Double == 0.5)
            try await files.set("progressed_at = now() - interval '400 s'", of: 0)
            #expect(try await files.indexing(0) == expected("stuck", reason: "no_progress"))
        }
    }

    @Test("of two jobs about one file the one that is worked on is told")
    func twice() async throws {
        try await waiting(1) { files in
            try await files.set(
                "state = 'running', claimable_at = now() + interval '20 min', progress = 0.5",
                of: 0)
            let id = files.ids[0]
            _ = try await files.world.ingest.pool.transaction { transaction in
                try JobQueue().enqueue(
                    IndexAttachmentJob.kind, [String: String](), subject: id, in: transaction)
            }
            #expect(try await files.indexing(0)["state"] as? String == "processing")
            #expect(try await files.item(0)["progress"] as? Double == 0.5)
        }
    }

    @Test("one that is put off says for what")
    func putOff() async throws {
        try await waiting(2) { files in
            try await files.set(
                "claimable_at = now() + interval '5 min', reason = 'waiting'", of: 0)
            #expect(try await files.indexing(0) == expected("stuck", reason: "dependency_away"))
            try await files.set(
                "claimable_at = now() + interval '5 min', reason = 'broke', failure_count = 1",
                of: 1)
            #expect(try await files.indexing(1) == expected("stuck", reason: "retrying"))
            // Until it is taken again, it is what it was.
            try await files.set("claimable_at = now() - interval '1 s'", of: 1)
            #expect(try await files.indexing(1) == expected("stuck", reason: "retrying"))
        }
    }

    @Test("one that is at its end says nothing, and its progress is all or nothing")
    func ended() async throws {
        try await IngestWorld.make { world in
            try await world.working {
                try await world.serving { client in
                    let headers = try world.headers(IngestWorld.alice)
                    for (name, status) in [("a.txt", "indexed"), ("a.json", "failed")] {
                        let made = try await client.upload(
                            "No JSON.", named: name, headers: headers)
                        let id = try #require(made.json()["id"] as? String)
                        let item = try await client.execute(
                            uri: "/attachments/\(id)", method: .get, headers: headers
                        ).json()
                        #expect(item["status"] as? String == status)
                        #expect(item["indexing"] is NSNull)
                        #expect(item["progress"] as? Double == (status == "indexed" ? 1 : nil))
                    }
                }
            }
        }
    }

    @Test("a worker says how far it is while the model is slow, and that it is there")
    func reports() async throws {
        let model = EmbeddingServer()
        try await IngestWorld.make(model) { world in
            try await world.working {
                try await world.serving { client in
                    let headers = try world.headers(IngestWorld.alice)
                    let release = Signal()
                    model.hold(until: release)
                    let text = (1...4).map { "# Part \($0)\n\nText of part \($0)." }
                        .joined(separator: "\n\n")
                    let made = try await client.upload(
                        text, named: "a.md", query: "?wait=0", headers: headers)
                    let id = try #require(made.json()["id"] as? String)
                    try await model.wasAsked.wait(atMost: .seconds(30))
                    let job = ClaimedProgress(pool: world.ingest.pool, subject: id)
                    // Short work says nothing. It is asked well after the work began.
                    let before = try await job.silence()
                    try await eventually { try await job.silence() > before + 1.1 }
                    release.fire()
                    model.hold(until: nil)
                    try await eventually { try await job.reached() > 0.3 }
                    #expect(try await world.rowCount(of: ["job_workers"]) == 1)
                }
            }
        }
    }

    private struct ClaimedProgress: Sendable {
        let pool: PostgresPool
        let subject: String

        func reached() async throws -> Double { try await value("progress") }

        /// Seconds since the claim, or the last report.
        func silence() async throws -> Double {
            try await value("coalesce(extract(epoch FROM now() - progressed_at), 0)")
        }

        private func value(_ expression: SQL) async throws -> Double {
            let subject = subject
            return try await pool.read { session in
                try session.run(
                    """
                    SELECT (\(sql: expression))::float8 AS value FROM jobs
                    WHERE subject = \(subject)
                    """
                ).first?.get("value") ?? 0
            }
        }
    }
}
