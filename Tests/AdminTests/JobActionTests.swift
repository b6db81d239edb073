import Database
import Domain
import Foundation
import JobQueue
import Postgres
import TestSupport
import Testing

@testable import Admin

@Suite("Retrying and cancelling jobs")
struct JobActionTests {
    @Test("a dead job begins anew, its upload is queued again, and it is written down")
    func retries() async throws {
        try await AdminWorld.run(works: false) { world in
            let upload = try await world.upload("a.txt", by: "alice", status: "failed")
            let id = try await world.bury(
                "index_attachment", "corrupt: x", about: upload.description)
            let reply = try await world.post("/admin/jobs/\(id)/retry")
            #expect(reply.status == 200, "\(reply.text)")
            #expect(reply.json["state"] as? String == "ready")
            #expect(reply.json["failures"] as? Int == 0)
            #expect(try await world.status(of: upload) == .queued)
            let again = try await world.post("/admin/jobs/\(id)/retry")
            #expect(again.status == 409)
            #expect(again.code == "job_not_dead")
            let audit = try await world.get("/admin/audit?action=job.retried")
            let items = audit.json["items"] as? [[String: Any]] ?? []
            #expect(items.map { $0["subject"] as? String } == ["\(id)"])
            #expect(
                items.first?["details"] as? [String: String]
                    == ["kind": "index_attachment", "job_subject": upload.description])
        }
    }

    @Test("of many who retry one job at once one does")
    func retriesOnce() async throws {
        try await AdminWorld.run(works: false) { world in
            let id = try await world.bury("erase_document", "Broken()")
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<6 {
                    group.addTask { try await world.post("/admin/jobs/\(id)/retry").status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.sorted() == [200] + Array(repeating: 409, count: 5))
            let audit = try await world.get("/admin/audit?action=job.retried")
            #expect(audit.json["total"] as? Int == 1)
        }
    }

    @Test("all that died of one reason begin anew, and nothing else")
    func retriesAll() async throws {
        try await AdminWorld.run(works: false) { world in
            for _ in 0..<3 { try await world.bury("erase_document", "corrupt: x") }
            let other = try await world.bury("erase_document", "Broken()")
            let kind = try await world.bury("sweep_revisions", "corrupt: y")
            try await world.pool.read { session in
                // More than one transaction takes.
                try session.run(
                    """
                    INSERT INTO jobs (kind, payload, subject, state, priority, tag, reason)
                    SELECT 'erase_document', '{}', 'x', 'dead', 1, 1, 'corrupt: ' || n
                    FROM generate_series(1, 250) AS n
                    """)
            }
            let reply = try await world.post(
                "/admin/jobs/retry", #"{"reason": "corrupt", "kind": "erase_document"}"#)
            #expect(reply.status == 200, "\(reply.text)")
            #expect(
                reply.json as? [String: Int] == ["retried": 253, "skipped": 0, "remaining": 0])
            let dead = try await world.get("/admin/jobs?state=dead")
            let ids = (dead.json["items"] as? [[String: Any]])?.map { $0["id"] as? Int }
            #expect(ids == [kind, other])
            let words = try await world.post("/admin/jobs/retry", #"{"reason": "Broken()"}"#)
            #expect(words.json["retried"] as? Int == 1)
            let none = try await world.post("/admin/jobs/retry", #"{"reason": "Broken()"}"#)
            #expect(none.json["retried"] as? Int == 0)
            let audit = try await world.get("/admin/audit?action=jobs.retried")
            let items = audit.json["items"] as? [[String: Any]] ?? []
            let counts = items.compactMap { ($0["details"] as? [String: String])?["count"] }
            #expect(counts == ["1", "53", "100", "100"])
            for body in [
                "", "{}", #"{"reason": ""}"#, #"{"reason": 1}"#, "[]",
                #"{"reason": "\#(String(repeating: "x", count: 201))"}"#,
            ] {
                let refused = try await world.post("/admin/jobs/retry", body)
                #expect(refused.status == 422, "\(body): \(refused.text)")
            }
        }
    }

    @Test("a page is retried while its sync goes on, and waited for; later it is not")
    func pages() async throws {
        try await AdminWorld.run(works: false) { world in
            let sync = TrainingSync.ID()
            let (lost, other) = (Document.ID(), Document.ID())
            let id = try await world.pool.transaction { transaction in
                let store = TrainingSyncStore(transaction)
                _ = try store.insert(Self.draft(sync, [lost, other]))
                _ = try store.finishPage(
                    lost, of: sync, as: .failed(reason: "broken"), generations: [1])
                return try JobQueue().enqueue(
                    IndexTrainingPageJob.kind,
                    IndexTrainingPageJob(syncID: sync, documentID: lost),
                    subject: lost.description, in: transaction
                ).rawValue
            }
            try await world.set("state = 'dead', reason = 'Broken()'", of: id)
            #expect(try await world.post("/admin/jobs/\(id)/retry").status == 200)
            let pending = try await world.pool.read {
                try TrainingStore($0).findPendingPage(lost, of: sync) != nil
            }
            #expect(pending)

            try await world.pool.transaction { transaction in
                let store = TrainingSyncStore(transaction)
                for page in [lost, other] {
                    _ = try store.finishPage(
                        page, of: sync, as: .failed(reason: "broken"), generations: [1])
                }
            }
            try await world.set("state = 'dead', reason = 'Broken()'", of: id)
            let late = try await world.post("/admin/jobs/\(id)/retry")
            #expect(late.status == 409)
            #expect(late.code == "sync_over")
            let all = try await world.post("/admin/jobs/retry", #"{"reason": "Broken()"}"#)
            #expect(all.json as? [String: Int] == ["retried": 0, "skipped": 1, "remaining": 0])
            let job = try await world.get("/admin/jobs/\(id)")
            #expect(job.json["state"] as? String == "dead")
        }
    }

    @Test("cancelling is asked for once, and written down once")
    func cancels() async throws {
        try await AdminWorld.run(works: false) { world in
            let upload = try await world.upload("a.txt", by: "alice")
            let id = try await world.enqueue("index_attachment", about: upload.description)
            for _ in 0..<2 {
                let reply = try await world.post("/admin/jobs/\(id)/cancel")
                #expect(reply.status == 202, "\(reply.text)")
                #expect(reply.json["state"] as? String == "cancelling")
            }
            let audit = try await world.get("/admin/audit?action=job.cancelled")
            #expect(audit.json["total"] as? Int == 1)
            // What is being cancelled does not stand for what is asked anew.
            let queued = try await world.post("/admin/ingest", #"{"id": "\#(upload)"}"#)
            #expect(queued.status == 202)
            #expect(queued.json["job_id"] as? Int != id)
            try await world.set("state = 'cancelled'", of: id)
            #expect(try await world.post("/admin/jobs/\(id)/cancel").status == 200)
        }
    }

    @Test("what deletes, and what builds a generation, cannot be cancelled")
    func refuses() async throws {
        try await AdminWorld.run(works: false) { world in
            for (kind, code) in [
                ("erase_document", "deletion_owed"), ("sweep_revisions", "deletion_owed"),
                ("drop_generation", "deletion_owed"), ("enforce_retention", "deletion_owed"),
                ("build_generation", "part_of_generation"), ("of_tomorrow", "not_cancellable"),
            ] {
                let id = try await world.enqueue(kind, about: "x")
                let reply = try await world.post("/admin/jobs/\(id)/cancel")
                #expect(reply.status == 409, "\(kind)")
                #expect(reply.code == code, "\(kind)")
                let job = try await world.get("/admin/jobs/\(id)")
                #expect(job.json["state"] as? String == "ready")
            }
            for state in ["done", "dead"] {
                let id = try await world.enqueue("index_attachment", about: "x")
                try await world.set("state = \(state)", of: id)
                let reply = try await world.post("/admin/jobs/\(id)/cancel")
                #expect(reply.status == 409)
                #expect(reply.code == "job_ended")
            }
            let alone = try await world.enqueue("reindex_document", about: "x")
            #expect(try await world.post("/admin/jobs/\(alone)/cancel").status == 202)
            #expect(try await world.post("/admin/ingest", #"{"all": true}"#).status == 202)
            let part = try await world.enqueue("reindex_document", about: "y")
            let refused = try await world.post("/admin/jobs/\(part)/cancel")
            #expect(refused.code == "part_of_generation")
        }
    }

    private static func draft(_ sync: TrainingSync.ID, _ pages: [Document.ID]) -> TrainingSyncDraft
    {
        TrainingSyncDraft(
            id: sync, repositoryURL: "https://example.org", target: "main", previousCommit: nil,
            commit: "abc",
            pages: pages.map {
                TrainingSyncDraft.Page(
                    documentID: $0, path: "\($0).md", url: "https://example.org", title: "A page",
                    content: "Text.", contentHash: [1], tags: [])
            }, removed: [], skipped: [], refused: [])
    }
}

extension AdminWorld {
    fileprivate func status(
        of upload: Domain.Attachment.ID
    ) async throws -> Domain.Attachment.Status? {
        try await pool.read { try AttachmentStore($0).find(upload)?.status }
    }
}
