import Database
import Domain
import Foundation
import JobQueue
import Postgres
import Qdrant
import TestSupport
import Testing

@testable import Admin

@Suite("Operators and index generations")
struct GenerationRoutesTests {
    @Test("see how far one is that is being built, and what stands in its way")
    func progress() async throws {
        try await AdminWorld.run(works: false) { world in
            let ids = try await world.indexedUploads(3)
            let begun = try await world.post("/admin/ingest", #"{"all": true}"#)
            #expect(begun.json["generation"] as? Int == 2)
            try await world.show(ids[0], in: 2)
            try await world.bury(ids[1], in: 2)
            let item = try await world.generation(2)
            #expect(item["state"] as? String == "building")
            #expect(item["documents"] as? [String: Int] == ["done": 1, "total": 3, "failed": 1])
            #expect(item["missing"] as? Int == 2)
            #expect(item["started_at"] as? Int ?? 0 > 1_700_000_000)
            #expect(item["can_activate"] as? Bool == false)
            let live = try await world.generation(1)
            #expect(live["documents"] as? [String: Int] == ["done": 3, "total": 3, "failed": 0])
            #expect(live["missing"] is NSNull)
        }
    }

    @Test("give one up that is being built, its jobs too, and begin another")
    func cancel() async throws {
        try await AdminWorld.run(works: false) { world in
            let ids = try await world.indexedUploads(2)
            _ = try await world.post("/admin/ingest", #"{"all": true}"#)
            try await world.bury(ids[0], in: 2)
            try await world.reindex(ids[1], in: 2)
            let answer = try await world.post("/admin/generations/2/cancel")
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.json["state"] as? String == "retired")
            #expect(answer.json["dropping"] as? Bool == true)
            #expect(answer.json["can_activate"] as? Bool == false)
            #expect(try await world.openJobs() == ["drop_generation"])
            #expect(try await world.post("/admin/generations/2/cancel").status == 409)
            let back = try await world.post("/admin/generations/2/activate")
            #expect(back.status == 409)
            #expect(back.code == "generation_dropped")
            let again = try await world.post("/admin/ingest", #"{"all": true}"#)
            #expect(again.json["generation"] as? Int == 3)
            #expect(
                try await world.auditedActions() == [
                    "reindex.requested", "generation.cancelled", "reindex.requested",
                ])
        }
    }

    @Test("go back at once to one that lacks nothing, and forward again")
    func back() async throws {
        try await AdminWorld.run(works: false) { world in
            let ids = try await world.indexedUploads(2)
            try await world.replaceLive(showing: ids)
            let answer = try await world.post("/admin/generations/1/activate")
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.json["state"] as? String == "live")
            #expect(try await world.generation(2)["state"] as? String == "retired")
            #expect(try await world.generation(2)["can_activate"] as? Bool == true)
            // What moves the alias.
            #expect(try await world.openJobs() == ["build_generation"])
            #expect(try await world.post("/admin/generations/1/activate").status == 200)
            #expect(try await world.post("/admin/generations/2/activate").status == 200)
            #expect(
                try await world.auditedActions().suffix(2) == [
                    "generation.activated", "generation.activated",
                ])
            try await world.removeCollections()
        }
    }

    @Test("wait for what one lacks that they go back to, or give that up again")
    func catchingUp() async throws {
        try await AdminWorld.run(works: false) { world in
            let ids = try await world.indexedUploads(2)
            try await world.replaceLive(showing: ids)
            let new = try await world.upload("new.txt", by: "alice")
            try await world.show(new, in: 2)
            try await world.show(ids[0], in: 2, content: 9)
            #expect(try await world.generation(1)["missing"] as? Int == 2)
            let answer = try await world.post("/admin/generations/1/activate")
            #expect(answer.status == 202, "\(answer.text)")
            #expect(answer.json["state"] as? String == "building")
            #expect(
                answer.json["documents"] as? [String: Int] == ["done": 2, "total": 3, "failed": 0])
            #expect(try await world.generation(2)["state"] as? String == "live")
            #expect(try await world.post("/admin/generations/1/activate").status == 202)
            let ended = try await world.post("/admin/generations/1/cancel")
            #expect(ended.json["state"] as? String == "retired")
            #expect(ended.json["dropping"] as? Bool == false)
            #expect(ended.json["can_activate"] as? Bool == true)
            try await world.removeCollections()
        }
    }

    @Test("fill one anew whose collection was lost")
    func lost() async throws {
        try await AdminWorld.run(works: false) { world in
            let ids = try await world.indexedUploads(2)
            try await world.replaceLive(showing: ids)
            try await world.removeCollections()
            let answer = try await world.post("/admin/generations/1/activate")
            #expect(answer.status == 202, "\(answer.text)")
            #expect(
                answer.json["documents"] as? [String: Int] == ["done": 0, "total": 2, "failed": 0])
        }
    }

    @Test("cannot go back while another is being built, nor to one that never was")
    func refusals() async throws {
        try await AdminWorld.run(works: false) { world in
            try await world.replaceLive(showing: [])
            _ = try await world.post("/admin/ingest", #"{"all": true}"#)
            let answer = try await world.post("/admin/generations/1/activate")
            #expect(answer.status == 409)
            #expect(answer.code == "generation_building")
            for unknown in ["4", "0", "-1", "x", "1.0", "01", "99999999999"] {
                for change in ["activate", "cancel"] {
                    let path = "/admin/generations/\(unknown)/\(change)"
                    #expect(try await world.post(path).status == 404, "\(path)")
                }
            }
            let force = try await world.post("/admin/generations/1/activate", #"{"force": 1}"#)
            #expect(force.status == 422)
            for path in ["2/activate", "2/cancel"] {
                #expect(
                    try await world.post("/admin/generations/\(path)", as: "alice").status == 403)
            }
            try await world.removeCollections()
        }
    }

    @Test("want one whatever stands in its way, and it goes without what has failed")
    func force() async throws {
        try await AdminWorld.run(works: false) { world in
            let ids = try await world.indexedUploads(2)
            _ = try await world.post("/admin/ingest", #"{"all": true}"#)
            try await world.show(ids[0], in: 2)
            try await world.bury(ids[1], in: 2)
            let before = try await world.pool.transaction { try GenerationStore($0).setLive(2) }
            #expect(before == nil)
            let answer = try await world.post("/admin/generations/2/activate", #"{"force": true}"#)
            #expect(answer.status == 202, "\(answer.text)")
            #expect(answer.json["forced"] as? Bool == true)
            let after = try await world.pool.transaction { try GenerationStore($0).setLive(2) }
            #expect(after?.old == 1)
        }
    }

    @Test("remove one that is retired, and only that")
    func remove() async throws {
        try await AdminWorld.run(works: false) { world in
            try await world.replaceLive(showing: [])
            let answer = try await world.delete("/admin/generations/1")
            #expect(answer.status == 202, "\(answer.text)")
            #expect(answer.json["dropping"] as? Bool == true)
            #expect(try await world.delete("/admin/generations/1").status == 202)
            #expect(try await world.openJobs() == ["drop_generation"])
            let live = try await world.delete("/admin/generations/2")
            #expect(live.status == 409)
            #expect(live.code == "generation_in_use")
            #expect(try await world.delete("/admin/generations/7").status == 404)
            #expect(try await world.auditedActions() == ["generation.dropped"])
            try await world.removeCollections()
        }
    }
}
