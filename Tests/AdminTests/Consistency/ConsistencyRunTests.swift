import Database
import Domain
import Foundation
import JobQueue
import Postgres
import ServiceRuntime
import TestSupport
import Testing

@testable import Admin

@Suite("Runs of comparing the stores")
struct ConsistencyRunTests {
    private static let root = AuditAuthor(actor: "root", isAdmin: true, requestID: nil)

    @Test("one goes on at a time, whoever asks, and a comparison is as good as new for a while")
    func oneAtATime() async throws {
        try await AdminWorld.run(works: false) { world in
            try await world.withCollection { _ in
                let first = try await world.get("/admin/consistency?wait=0")
                #expect(first.status == 202)
                #expect(first.json["status"] as? String == "running")
                #expect(first.json["consistent"] is NSNull)
                let second = try await world.get("/admin/consistency?wait=0")
                #expect(second.json["run"] as? Int == first.json["run"] as? Int)
                let repair = try await world.post("/admin/consistency?wait=0", "{}")
                #expect(repair.status == 409)
                #expect(repair.code == "consistency_running")
                let compare = try await world.post(
                    "/admin/consistency?wait=0", #"{"repair": false}"#)
                #expect(compare.status == 202)
                #expect(compare.json["run"] as? Int == first.json["run"] as? Int)

                #expect(try await world.admin.worker.workOne())
                let run = try #require(first.json["run"] as? Int)
                let done = try await world.get("/admin/consistency?run=\(run)")
                #expect(done.status == 200)
                #expect(done.json["consistent"] as? Bool == true, "\(done.text)")
                let kept = try await world.get("/admin/consistency?wait=0")
                #expect(kept.json["run"] as? Int == run)
                let fresh = try await world.get("/admin/consistency?wait=0&max_age=0")
                #expect(fresh.json["run"] as? Int == run + 1)
                #expect(fresh.status == 202)
            }
        }
    }

    @Test("a repair's result is no comparison of how things are after it")
    func afterRepair() async throws {
        try await AdminWorld.run { world in
            try await world.withCollection { _ in
                let repair = try await world.post("/admin/consistency?wait=50")
                #expect(repair.json["repair"] as? Bool == true)
                let look = try await world.get("/admin/consistency?wait=50")
                #expect(look.json["repair"] as? Bool == false)
                #expect(look.json["run"] as? Int != repair.json["run"] as? Int)
            }
        }
    }

    @Test("one whose process died is taken over, one whose job was cancelled is given up")
    func abandoned() async throws {
        try await AdminWorld.run(works: false) { world in
            try await world.withCollection { _ in
                let first = try await world.get("/admin/consistency?wait=0")
                let run = try #require(first.json["run"] as? Int)
                try await world.pool.transaction { transaction in
                    _ = try transaction.run(
                        """
                        UPDATE jobs SET state = 'running', attempt = 1, worker = 'gone',
                            claimable_at = now() - interval '1 second'
                        WHERE kind = \(CompareStoresJob.kind)
                        """)
                }
                #expect(try await world.admin.worker.workOne())
                let done = try await world.get("/admin/consistency?run=\(run)")
                #expect(done.json["status"] as? String == "done")

                _ = try await world.get("/admin/consistency?wait=0&max_age=0")
                try await world.pool.transaction { transaction in
                    try JobQueue().cancel(subject: ConsistencyRuns.subject, in: transaction)
                }
                let next = try await world.get("/admin/consistency?wait=0&max_age=0")
                #expect(next.json["run"] as? Int == run + 2)
                let lost = try await world.get("/admin/consistency?run=\(run + 1)")
                #expect(lost.json["status"] as? String == "failed")
                #expect((lost.part("error"))["code"] as? String == "abandoned")
            }
        }
    }

    @Test("waits its turn while another process compares")
    func locked() async throws {
        try await AdminWorld.run(works: false) { world in
            try await world.withCollection { _ in
                let comparison = world.admin.comparison
                let outer = try await comparison.run(repairs: false) { _ in
                    let inner = try await comparison.run(repairs: false)
                    #expect(inner == nil)
                }
                #expect(outer?.faultCount == 0)
            }
        }
    }

    @Test("says so when a store is away, and knows no run that never was")
    func away() async throws {
        try await AdminWorld.run(qdrant: "http://127.0.0.1:9") { world in
            #expect(try await world.get("/admin/consistency?run=77").status == 404)
            #expect(try await world.get("/admin/consistency?wait=x").status == 422)
            let reply = try await world.get("/admin/consistency?wait=50")
            #expect(reply.status == 503, "\(reply.text)")
            let run = try await world.get("/admin/consistency?run=1")
            #expect(run.json["status"] as? String == "failed")
            #expect((run.part("error"))["code"] as? String == "vectors_away")
        }
    }
}
