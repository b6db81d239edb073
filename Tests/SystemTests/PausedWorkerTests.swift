import Foundation
import NIOCore
import Postgres
import Synchronization
import TestSupport
import Testing

/// A worker that stands still between its last look at Postgres and its write to the engine, for
/// longer than its lease, and then goes on as if nothing had happened.
@Suite("A worker that was paused") struct PausedWorkerTests {
    @Test("changes nothing of what another has finished meanwhile")
    func overtaken() async throws {
        try await withPausedWorker { deployment, alice, id, paused in
            let heir = try deployment.startWorker()
            try await eventually(within: .seconds(120)) {
                try await alice.get("/attachments/\(id)")["status"] == "indexed"
            }
            try await eventually { try await unfinishedJobs(in: deployment) == 0 }
            let takeovers = try await Takeovers(in: deployment)
            #expect(takeovers.count == 1)
            #expect(takeovers.longestSeconds <= 30, "\(takeovers)")
            let before = try await state(of: id, in: deployment)
            try await paused.goOn()
            #expect(try await state(of: id, in: deployment) == before)
            try await expectWhole([id], of: alice, in: deployment, within: .seconds(20))
            await deployment.stop([heir])
        }
    }

    @Test("brings nothing back of a document that was deleted meanwhile")
    func deleted() async throws {
        try await withPausedWorker { deployment, alice, id, paused in
            let chunkCount = try await rows(of: id, in: deployment)["chunks"]
            #expect(chunkCount ?? 0 > 0)
            #expect(try await alice.delete("/attachments/\(id)").status == 200)
            let heir = try deployment.startWorker()
            try await eventually(within: .seconds(120)) {
                try await rows(of: id, in: deployment).isEmpty
            }
            #expect(try await points(of: id, in: deployment) == 0)
            // What was on its way lands now, after the erasure had counted.
            paused.letWriteThrough()
            try await eventually { try await points(of: id, in: deployment) == chunkCount }
            #expect(try await alice.search("code").items("results").isEmpty)
            try await paused.goOn()
            try await eventually { try await points(of: id, in: deployment) == 0 }
            #expect(try await rows(of: id, in: deployment).isEmpty)
            #expect(try await unfinishedJobs(in: deployment) == 0)
            await deployment.stop([heir])
        }
    }

    /// A worker that stands still, and its write, held back by the relay.
    private struct Paused {
        let worker: RunningProcess
        let mayWrite: Signal

        func letWriteThrough() { mayWrite.fire() }

        /// Lets both go on, and waits until the worker has noticed.
        func goOn() async throws {
            mayWrite.fire()
            worker.resume()
            do {
                try await eventually(within: .seconds(60)) {
                    worker.log.contains("lost a job's lease")
                }
            } catch {
                print("--- the paused worker\n\(worker.log.suffix(6000))")
                throw error
            }
        }
    }

    private func withPausedWorker(
        _ body: (
            _ deployment: Deployment, _ alice: Member, _ attachment: String, _ paused: Paused
        ) async throws -> Void
    ) async throws {
        let engine = try TestSupport.environment("TEST_QDRANT_URL")
        let enginePort = try #require(engine.split(separator: ":").last.flatMap { Int($0) })
        let (isWriting, mayWrite) = (Signal(), Signal())
        let inspect: Relay.Inspection = { bytes in
            // The first write of points is held back; those of the heir are not.
            guard bytes.isWriteOfPoints, !isWriting.hasFired else { return true }
            isWriting.fire()
            try await mayWrite.wait(atMost: .seconds(300))
            return true
        }
        try await Relay.run(to: enginePort, inspect: inspect) { relay in
            let settings = [
                "INGEST_ROLES": "api", "QDRANT_URL": "http://127.0.0.1:\(relay.port)",
            ]
            try await withDeployment(settings: settings) { deployment, replica in
                try await Takeovers.record(in: deployment)
                let alice = try await deployment.member("alice", at: replica)
                let text = (1...6).map { "# Part \($0)\n\nThe code of part \($0) is \($0 * 37)." }
                let upload = try await alice.upload(
                    "parts.md", text.joined(separator: "\n\n"), to: "/upload?wait=0")
                let id = try #require(upload["id"])
                let worker = try deployment.startWorker()
                try await isWriting.wait(atMost: .seconds(120))
                worker.pause()
                try await body(
                    deployment, alice, id, Paused(worker: worker, mayWrite: mayWrite))
                await deployment.stop([worker])
            }
        }
    }

    /// Everything that Postgres says of a document and of its jobs, and the engine of its points.
    private func state(of id: String, in deployment: Deployment) async throws -> [String] {
        let rows = try await deployment.database.read { session in
            try session.run(
                """
                SELECT to_jsonb(j)::text AS line FROM celine_assistant.jobs j
                WHERE subject = \(id)
                UNION ALL SELECT to_jsonb(a)::text FROM celine_assistant.attachments a
                WHERE id::text = \(id)
                UNION ALL SELECT to_jsonb(i)::text FROM celine_assistant.indexed_documents i
                WHERE document_id::text = \(id)
                UNION ALL SELECT to_jsonb(r)::text FROM celine_assistant.revisions r
                WHERE document_id::text = \(id)
                ORDER BY line
                """
            ).map { try $0.get("line", as: String.self) }
        }
        return rows + ["points: \(try await points(of: id, in: deployment))"]
    }
}

extension ByteBuffer {
    /// The beginning of an upsert to the vector engine.
    fileprivate var isWriteOfPoints: Bool {
        let line = String(buffer: self).prefix { $0 != "\r\n" }
        return line.hasPrefix("PUT /collections/") && line.contains("/points")
    }
}
