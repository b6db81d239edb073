import Foundation
import NIOHTTP1
import Postgres
import TestSupport
import Testing

@Suite("The stores are compared and mended") struct StoreRepairTests {
    @Test("every planted fault is found, mended by the workers, and gone")
    func mended() async throws {
        try await withDeployment(settings: scriptedModels("mended")) { deployment, replica in
            let alice = try await deployment.member("alice", at: replica)
            let admin = try await deployment.operatorMember(at: replica)
            var ids: [String] = []
            for number in 0..<6 {
                let answer = try await alice.upload("note-\(number).md", note(number))
                ids.append(try #require(answer["id"]))
            }
            try await expectConsistent(admin)
            let chunkCount = try await points(in: deployment)

            let faults = try await plant(ids, in: deployment)
            let repair = try await finished(
                try await admin.post("/admin/consistency?wait=50"), admin)
            #expect(faultCounts(repair) == faults, "\(repair.text)")
            try await eventually(within: .seconds(120)) {
                try await unfinishedJobs(in: deployment) == 0
            }
            let after = try await finished(try await admin.get("/admin/consistency?wait=50"), admin)
            // What is lost is lost, and named.
            #expect(faultCounts(after) == ["missing_bytes": 1], "\(after.text)")
            #expect(after.text.contains(ids[3]))
            // Five are left of six alike.
            #expect(try await points(in: deployment) == chunkCount / 6 * 5)
            #expect(try await points(of: ids[4], in: deployment) == 0)
            #expect(try await rows(of: ids[4], in: deployment).isEmpty)
            let code = try await alice.search("code of note 0")
            #expect(!code.items("results").isEmpty)

            #expect(try await alice.delete("/attachments/\(ids[3])").status == 200)
            try await eventually(within: .seconds(60)) {
                try await unfinishedJobs(in: deployment) == 0
            }
            try await expectConsistent(admin)
        }
    }

    @Test("nothing is taken for a fault while uploads, deletions and re-indexing go on")
    func moving() async throws {
        try await withDeployment(settings: scriptedModels("moving")) { deployment, replica in
            let admin = try await deployment.operatorMember(at: replica)
            let worker = try deployment.startWorker()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for name in ["alice", "bob"] {
                    let member = try await deployment.member(name, at: replica)
                    group.addTask { try await move(as: member) }
                }
                group.addTask { try await reindex(as: admin) }
                group.addTask { try await compare(as: admin) }
                // The first to end is the comparing: the others go on until then.
                while (try await group.next()) != nil, !over.hasFired {}
                try await group.waitForAll()
            }
            try await eventually(within: .seconds(120)) {
                try await unfinishedJobs(in: deployment) == 0
            }
            try await expectConsistent(admin)
            await deployment.stop([worker])
        }
    }

    private let over = Signal()
    private static let comparisonCount = 40

    /// Uploads, and deletes half of it again, some while it is being indexed.
    private func move(as member: Member) async throws {
        for number in 1...400 {
            if over.hasFired { return }
            let answer = try await member.upload(
                "note.md", note(number), to: "/upload?wait=\(number % 3)")
            let id = try #require(answer["id"], "\(answer.text)")
            if !number.isMultiple(of: 4) {
                #expect(try await member.delete("/attachments/\(id)").status == 200)
            }
        }
    }

    private func reindex(as admin: Member) async throws {
        for _ in 0..<200 {
            if over.hasFired { return }
            _ = try await admin.post("/admin/ingest", ["all": true])
            let uploads = try await admin.post("/admin/uploads", ["limit": 2])
            for upload in uploads.items("items") {
                guard let id = upload["id"] as? String else { continue }
                let answer = try await admin.post("/admin/ingest?wait=2", ["id": id])
                #expect([200, 202, 404].contains(answer.status), "\(answer.text)")
            }
        }
    }

    private func compare(as admin: Member) async throws {
        defer { over.fire() }
        for number in 0..<Self.comparisonCount {
            let begun =
                number.isMultiple(of: 4)
                ? try await admin.post("/admin/consistency?wait=50")
                : try await admin.get("/admin/consistency?wait=50&max_age=0")
            let answer = try await finished(begun, admin)
            #expect(answer.json["consistent"] as? Bool == true, "\(answer.text)")
        }
    }

    /// Faults of six documents alike, by kind.
    private func plant(
        _ ids: [String], in deployment: Deployment
    ) async throws -> [String: Int] {
        let (collection, files, count) = try await deployment.database.read { session in
            let schema: SQL = "celine_assistant"
            let live = try session.run(
                "SELECT collection FROM \(sql: schema).generations WHERE state = 'live'")
            let byteless = try session.run(
                "SELECT storage_key FROM \(sql: schema).attachments WHERE id::text = \(ids[3])")
            // A deletion whose job died long ago.
            try session.run(
                """
                UPDATE \(sql: schema).documents SET deleted_at = now() WHERE id::text = \(ids[4])
                """)
            try session.run(
                """
                DELETE FROM \(sql: schema).indexed_documents WHERE document_id::text = \(ids[4])
                """)
            let vectors = try session.run(
                """
                DELETE FROM \(sql: schema).embeddings e USING \(sql: schema).chunks c
                WHERE c.document_id::text = \(ids[2]) AND c.text_hash = e.text_hash
                RETURNING e.text_hash
                """)
            return (
                try live.first?.get("collection", as: String.self) ?? "",
                try byteless.map { try $0.get("storage_key", as: String.self) }, vectors.count
            )
        }
        let url = deployment.environment["QDRANT_URL"] ?? ""
        let path = "/collections/\(collection)"
        func filter(_ id: String) -> String {
            #""filter": {"must": [{"key": "document_id", "match": {"value": "\#(id)"}}]}"#
        }
        try await callEngine(
            .POST, path + "/points/delete?wait=true", "{\(filter(ids[0]))}", at: url)
        try await callEngine(
            .POST, path + "/points/payload?wait=true",
            "{\"payload\": {\"scope\": \"user:mallory\"}, \(filter(ids[1]))}", at: url)
        let dense = [String](repeating: "0.1", count: 384).joined(separator: ",")
        let strays = [ids[5], UUID().uuidString.lowercased()].map { document in
            """
            {"id": "\(UUID().uuidString.lowercased())",
             "vector": {"dense": [\(dense)], "sparse": {"indices": [1], "values": [1.0]}},
             "payload": {"document_id": "\(document)"}}
            """
        }
        try await callEngine(
            .PUT, path + "/points?wait=true", "{\"points\": [\(strays.joined(separator: ","))]}",
            at: url)
        let unknown = "/collections/\(deployment.collection)__0123abcd__9"
        try await callEngine(
            .PUT, unknown, #"{"vectors": {"dense": {"size": 3, "distance": "Cosine"}}}"#, at: url)
        for file in files {
            try FileManager.default.removeItem(atPath: "\(deployment.folder)/uploads/\(file)")
        }
        return [
            "missing_points": count, "wrong_owners": count, "missing_vectors": count,
            "orphaned_points": 2, "missing_bytes": 1, "unfinished_deletions": 1,
            "orphaned_collections": 1,
        ]
    }

    private func note(_ number: Int) -> String {
        (1...3).map {
            "# Part \($0)\n\nThe code of note \(number), part \($0), is \(number * 7 + $0)."
        }.joined(separator: "\n\n")
    }
}

/// A comparison's result, however long it takes.
func finished(_ answer: Answer, _ admin: Member) async throws -> Answer {
    var answer = answer
    for _ in 0..<30 where answer.status == 202 {
        let run = try #require(answer.json["run"] as? Int, "\(answer.text)")
        answer = try await admin.get("/admin/consistency?wait=50&run=\(run)")
    }
    #expect(answer.json["status"] as? String == "done", "\(answer.text)")
    return answer
}

/// Faults by kind; kinds without any are left out.
func faultCounts(_ answer: Answer) -> [String: Int] {
    let faults = answer.json["faults"] as? [String: Any] ?? [:]
    return faults.compactMapValues { ($0 as? [String: Any])?["found"] as? Int }
        .filter { $0.value > 0 }
}

func expectConsistent(_ admin: Member) async throws {
    let answer = try await finished(
        try await admin.get("/admin/consistency?wait=50&max_age=0"), admin)
    #expect(answer.json["consistent"] as? Bool == true, "\(answer.text)")
}

/// Models that answer at once; each test has scripts of its own.
func scriptedModels(_ name: String) throws -> [String: String] {
    let url = try TestSupport.environment("TEST_SCRIPTED_URL")
    return [
        "OPENAI_BASE_URL": url, "OPENAI_CHAT_MODEL": name, "OPENAI_EMBED_BASE_URL": url,
        "OPENAI_EMBED_MODEL": "\(name)-passages", "OPENAI_EMBED_QUERY_BASE_URL": url,
        "OPENAI_EMBED_QUERY_MODEL": "\(name)-questions",
    ]
}
