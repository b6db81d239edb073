import Foundation
import NIOCore
import NIOPosix
import TestSupport
import Testing

@Suite("Training materials") struct TrainingMaterialsTests {
    @Test("embeds only what an edit changed, and forgets what was removed")
    func incremental() async throws {
        try await withDeployment { deployment, replica in
            let admin = try await deployment.operatorMember(at: replica)
            let alice = try await deployment.member("alice", at: replica)
            try await sync(admin)
            let all = try await embeddingCount(in: deployment)

            let unchanged = try await sync(admin)
            let counts = try #require(unchanged.json["ingest"] as? [String: Any])
            #expect(counts["indexed"] as? Int == 0)
            #expect(counts["skipped"] as? Int == 14)
            #expect(try await embeddingCount(in: deployment) == all)

            let page = "en/complaints.md"
            let text = try deployment.trainingRepository.read(page)
            try deployment.trainingRepository.write(
                text.replacing("costs 30 euros", with: "costs 47 euros"), to: page)
            try deployment.trainingRepository.commit("Raise the fee")
            try await sync(admin)
            let edited = try await alice.ask("What does the arbitration procedure cost?")
            #expect(edited.text.contains("47 euros"))
            #expect(!edited.text.contains("30 euros"))
            let grown = try await embeddingCount(in: deployment) - all
            #expect(grown <= 1, "an edit of one sentence embedded \(grown) chunks")

            try deployment.trainingRepository.remove("en/batteries.md")
            try deployment.trainingRepository.commit("Remove the batteries")
            try await sync(admin)
            let reply = try await alice.ask("How much energy does the community battery store?")
            #expect(!String(decoding: reply.bytes, as: UTF8.self).contains("480 kWh"))
        }
    }

    @Test("leaves nothing of a removed page, and of edited ones beside it what they say now")
    func removedBesideEdited() async throws {
        try await withDeployment { deployment, replica in
            let admin = try await deployment.operatorMember(at: replica)
            let repository = deployment.trainingRepository
            try await sync(admin)
            let removed = try await document(ofPage: "en/batteries.md", in: deployment)
            let edited = try await document(ofPage: "en/complaints.md", in: deployment)
            #expect(try await points(of: removed, in: deployment) > 0)

            try repository.remove("en/batteries.md")
            let text = try repository.read("en/complaints.md")
            try repository.write(
                text.replacing("costs 30 euros", with: "costs 47 euros"), to: "en/complaints.md")
            try repository.write("# Barn\n\nThe barn is open on Mondays.\n", to: "en/barn.md")
            try repository.commit("Remove one page, edit one, add one")
            try await sync(admin)

            try await eventually(within: .seconds(60)) {
                try await unfinishedJobs(in: deployment) == 0
            }
            let added = try await document(ofPage: "en/barn.md", in: deployment)
            #expect(try await points(of: removed, in: deployment) == 0)
            #expect(try await rows(of: removed, in: deployment) == [:])
            // The revision that the edit replaced is swept as well.
            for page in [edited, added] {
                let rows = try await rows(of: page, in: deployment)
                #expect(rows["documents"] == 1 && rows["revisions"] == 1, "\(rows)")
                #expect(try await points(of: page, in: deployment) == rows["chunks"])
            }
        }
    }

    @Test("ends in a clear error when the remote accepts and never answers, and stays healthy")
    func silentRemote() async throws {
        let silent = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(silent.localAddress?.port)
        let remote = [
            "TRAINING_MATERIALS_REPO_URL": "http://127.0.0.1:\(port)/pages.git",
            "TRAINING_MATERIALS_GIT_SECONDS": "3",
        ]
        try await withDeployment(settings: remote) { deployment, replica in
            let admin = try await deployment.operatorMember(at: replica)
            let answer = try await admin.post("/admin/training-materials/sync")
            #expect(answer.status == 502, "\(answer.text)")
            #expect(answer["code"] != nil)
            // On a machine with much to do a look may come too late.
            try await eventually { try await admin.get("/health/ready").status == 200 }
            #expect(try await admin.get("/admin/generations").status == 200)
        }
        try await silent.close()
    }

    @Test("refuses what names no commit, and members without the group")
    func refusals() async throws {
        try await withDeployment { deployment, replica in
            let admin = try await deployment.operatorMember(at: replica)
            let alice = try await deployment.member("alice", at: replica)
            let path = "/admin/training-materials/sync"
            for ref in ["-x", "a..b", "no such", "origin/nothing"] {
                let answer = try await admin.post(path, ["target_ref": ref])
                #expect(answer.status == 422, "\(ref): \(answer.text)")
            }
            let refused = try await alice.post(path)
            #expect(refused.status == 403)
            #expect(refused["code"] == "admin_only")
        }
    }
}
