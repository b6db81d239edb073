import Foundation
import TestSupport
import Testing

/// Files that were made to do harm, through the four processes. `HOSTILE_MB` is the length of the
/// longest line among them.
@Suite("Hostile uploads") struct HostileUploadSoakTests {
    /// Of the process that holds the workers, and of the one that all bytes pass through.
    private static let memoryKilobytesMax = 200 << 10

    @Test("end in text or a reason, whatever they are, and do nothing to who reads them")
    func corpus() async throws {
        let given = ProcessInfo.processInfo.environment["HOSTILE_MB"]
        let models = try environment("TEST_SCRIPTED_URL")
        let settings = [
            "OPENAI_EMBED_BASE_URL": models, "OPENAI_EMBED_QUERY_BASE_URL": models,
            "OPENAI_EMBED_MODEL": "hostile", "EMBED_BATCH_SIZE": "32", "MAX_UPLOAD_MB": "1024",
            "UPLOAD_WAIT_SECONDS": "0",
            // A sample leaves the other tests some of the processors.
            "EXTRACT_SECONDS": given == nil ? "4" : "30",
            "INGEST_CONCURRENCY": given == nil ? "1" : "2",
        ]
        try await withDeployment(settings: settings) { deployment, replica in
            let alice = try await deployment.member("alice", at: replica)
            let folder = deployment.folder + "/hostile"
            let expected = try await makeCorpus(in: folder, megabytes: given ?? "20")
            var ids: [String: String] = [:]
            for name in expected.keys.sorted() {
                let answer = try await upload("\(folder)/\(name)", as: alice)
                if let id = answer["id"] as? String {
                    ids[name] = id
                } else {
                    let outcome = answer["status"] as? Int
                    #expect(
                        expected[name]?.contains("\(outcome ?? 0)") == true, "\(name): \(answer)")
                }
            }
            try await eventually(within: .seconds(1_200)) {
                try await unfinishedJobs(in: deployment) == deadJobs(in: deployment)
            }
            for (name, id) in ids.sorted(by: { $0.key < $1.key }) {
                let item = try await alice.get("/attachments/\(id)")
                let error = item.json["error"] as? [String: Any]
                let outcome = error?["code"] as? String ?? item["status"] ?? ""
                // In the little time of a sample, anything may take too long.
                let isExpected =
                    expected[name]?.contains(outcome) == true
                    || (given == nil && outcome == "timed_out")
                #expect(isExpected, "\(name): \(outcome)")
            }
            try await expectUnharmed(replica, alice)
        }
    }

    private func expectUnharmed(_ replica: Deployment.Replica, _ alice: Member) async throws {
        let peaks = [replica.ingest, replica.gateway].map { ($0.name, $0.peakKilobytes) }
        for (name, peak) in peaks {
            #expect(peak < Self.memoryKilobytesMax, "\(name): \(peak) kB")
            print("hostile: \(name) held \(peak >> 10) MB at most")
        }
        let made = try await alice.upload("after.txt", "The safe opens with 58-21-90.")
        #expect(made["status"] == "indexed")
        // No child is left, nor anything one had.
        let left = try FileManager.default.contentsOfDirectory(atPath: "/tmp").filter {
            $0.hasPrefix("celine-child-\(replica.ingest.identifier)-")
        }
        #expect(left.isEmpty)
    }

    private func makeCorpus(
        in folder: String, megabytes: String
    ) async throws -> [String: [String]] {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false)
        let script = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/hostile/make.py")
        try await runToEnd("/usr/bin/python3", [script.path(), folder, megabytes])
        let index = try Data(contentsOf: URL(filePath: "\(folder)/expected.json"))
        return try JSONDecoder().decode([String: [String]].self, from: index)
    }

    /// By curl, which holds no more of it than we do.
    private func upload(_ file: String, as member: Member) async throws -> [String: Any] {
        let printed = try await runToEnd(
            "/usr/bin/curl",
            [
                "--silent", "--show-error", "--max-time", "600", "--header",
                "Authorization: Bearer \(member.token)", "--form", "file=@\(file)",
                "\(member.address)/upload",
            ])
        let answer = try JSONSerialization.jsonObject(with: Data(printed.utf8))
        return try #require(answer as? [String: Any])
    }
}
