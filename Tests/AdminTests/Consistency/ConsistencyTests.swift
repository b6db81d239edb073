import Database
import Domain
import Foundation
import JobQueue
import ObjectStorage
import Postgres
import Qdrant
import ServiceRuntime
import TestSupport
import Testing

@testable import Admin

@Suite("Comparing the stores")
struct ConsistencyTests {
    @Test("finds nothing where they agree, and says what it compared")
    func agreement() async throws {
        try await AdminWorld.run { world in
            try await world.withCollection { live in
                _ = try await world.store("one", by: "alice", chunkCount: 2, in: [live])
                _ = try await world.store("two", chunkCount: 5, in: [live])
                try await world.put("uploads/of-somebody-else", hoursAgo: 100)

                let reply = try await world.get("/admin/consistency?wait=50")
                #expect(reply.status == 200, "\(reply.text)")
                #expect(reply.json["consistent"] as? Bool == true, "\(reply.text)")
                #expect(reply.json["status"] as? String == "done")
                #expect(reply.json["progress"] as? Double == 1)
                let compared = reply.part("compared")
                #expect(compared["attachments"] as? Int == 2)
                #expect(compared["objects"] as? Int == 2)
                #expect(compared["collections"] as? Int == 1)
                let generations = compared["generations"] as? [[String: Any]]
                #expect(generations?.first?["chunks"] as? Int == 7)
                #expect(generations?.first?["points"] as? Int == 7)
                #expect(reply.part("faults").count == Inconsistency.allCases.count)
            }
        }
    }

    @Test("finds each kind of fault, and nothing else")
    func everyKind() async throws {
        try await AdminWorld.run { world in
            try await world.withCollection { live in
                let planted = try await PlantedFaults(in: world, live)
                let reply = try await world.get("/admin/consistency?wait=50")
                #expect(reply.json["consistent"] as? Bool == false)
                #expect(
                    world.found(reply) == planted.ids.mapValues(\.count), "\(reply.text)")
                for (kind, ids) in planted.ids {
                    #expect(Set(world.examples(kind, reply)) == Set(ids), "\(kind)")
                    // Only looking was asked for.
                    #expect(world.outcomes(kind, reply).isEmpty)
                }
                #expect(
                    try await world.waitingJobs(SweepRevisionsJob.kind).isEmpty)
            }
        }
    }

    @Test("repairs what can be repaired, leaves points and rows to the workers, and names the rest")
    func repair() async throws {
        try await AdminWorld.run { world in
            try await world.withCollection { live in
                let planted = try await PlantedFaults(in: world, live)
                let reply = try await world.post("/admin/consistency?wait=50")
                #expect(reply.status == 200, "\(reply.text)")
                #expect(world.found(reply) == planted.ids.mapValues(\.count))
                for kind in ["missing_collections", "orphaned_collections", "orphaned_bytes"] {
                    let outcomes = world.outcomes(kind, reply)
                    #expect(outcomes == ["repaired": planted.ids[kind]?.count ?? 0], "\(kind)")
                }
                #expect(world.outcomes("missing_bytes", reply) == ["impossible": 1])
                #expect(
                    try await world.waitingJobs(ReindexDocumentJob.kind)
                        == planted.toReindex.map(\.description).sorted())
                #expect(
                    try await world.waitingJobs(EraseDocumentJob.kind)
                        == planted.ids["unfinished_deletions"])
                #expect(try await world.waitingJobs(SweepRevisionsJob.kind).count == 4)
                #expect(
                    !FileManager.default.fileExists(
                        atPath: world.folder.appending(path: planted.orphanedKey).path()))

                // What waits already is not queued twice, and what is about to go is no fault.
                let again = try await world.post("/admin/consistency?wait=50")
                #expect(
                    try await world.waitingJobs(ReindexDocumentJob.kind).count
                        == planted.toReindex.count)
                #expect(world.found(again)["orphaned_collections"] == nil)
                #expect(world.found(again)["orphaned_bytes"] == nil)
                #expect(world.found(again)["unfinished_deletions"] == nil)
                let audit = try await world.get("/admin/audit?action=consistency.repaired")
                #expect((audit.json["items"] as? [Any])?.count == 2)
            }
        }
    }

    @Test("takes nothing for a fault that is on its way")
    func moving() async throws {
        try await AdminWorld.run { world in
            try await world.withCollection { live in
                let document = try await world.store("kept", in: [live])
                // Its points come before what shows them, and stay until the sweep or erasure.
                let coming = try await world.store("coming", in: [])
                try await world.enqueue(
                    ReindexDocumentJob.kind, ReindexDocumentJob(documentID: coming.id),
                    about: coming.id)
                let going = Document.ID()
                try await world.enqueue(
                    SweepRevisionsJob.kind, SweepRevisionsJob(documentID: going), about: going)
                let erased = try await world.store("erased", in: [live])
                try await world.pool.transaction { transaction in
                    _ = try DocumentStore(transaction).delete(erased.id)
                }
                try await world.enqueue(
                    EraseDocumentJob.kind, EraseDocumentJob(documentID: erased.id),
                    about: erased.id)
                try await world.admin.storage.delete(key: erased.key)
                try await world.admin.qdrant.upsert(
                    [
                        world.point(coming.chunks[0], coming.id),
                        world.point(Chunk.ID(), going),
                        world.point(Chunk.ID(), coming.id),
                    ], into: live.collection)
                // An upload under way, and an index that a job is making.
                try await world.put(UploadKey.new(), hoursAgo: 23)
                try await world.beginBuilding()

                let reply = try await world.get("/admin/consistency?wait=50")
                #expect(reply.json["consistent"] as? Bool == true, "\(reply.text)")
                #expect(reply.part("compared")["deletions"] as? Int == 1)
                _ = document
            }
        }
    }

    @Test("takes away nothing where no upload and no generation is known here")
    func foreign() async throws {
        try await AdminWorld.run { world in
            let name = "\(world.admin.settings.qdrant.collectionBase)__0123abcd__7"
            try await world.admin.qdrant.ensureCollection(name, dimensionCount: 3)
            for _ in 0..<10 { try await world.put(UploadKey.new(), hoursAgo: 48) }
            let reply = try await world.post("/admin/consistency?wait=50")
            #expect(world.outcomes("orphaned_bytes", reply) == ["impossible": 10])
            #expect(world.outcomes("orphaned_collections", reply) == ["impossible": 1])
            #expect(try await world.admin.qdrant.collectionDescription(name) != nil)
            #expect(
                try await world.admin.storage.list(
                    prefix: "uploads/", after: nil, countMax: 20
                ).count == 10)
            try await world.admin.qdrant.deleteCollection(name)
            try await world.admin.qdrant.deleteCollection(world.live().collection)
        }
    }
}
