import Foundation
import NIOHTTP1
import Postgres
import TestSupport
import Testing

@Suite("The operators' command line") struct CommandTests {
    @Test("syncs, indexes again, compares and mends as the routes do, and is written down")
    func doesAsTheRoutes() async throws {
        try await withDeployment(settings: scriptedModels("commands")) { deployment, replica in
            let admin = try await deployment.operatorMember(at: replica)
            let synced = try await deployment.command("sync", "--verbose")
            #expect(synced.contains(#""path":"en/batteries.md","status":"indexed""#), "\(synced)")
            let note = try await admin.upload("note.md", "# Note\n\nThe code is 1234.\n")
            let id = try #require(note["id"], "\(note.text)")

            let one = try await deployment.command("reindex", id, "--wait")
            #expect(one.contains(#""attachment_id":"\#(id)""#), "\(one)")
            let rest = try await deployment.command("reindex")
            #expect(rest.contains(#""queued":0"#), "\(rest)")
            let all = try await deployment.command("reindex", "--all", "--wait")
            #expect(all.contains(#""generation":2"#), "\(all)")
            let live = try await IndexGenerations(deployment: deployment, admin: admin).find(2)
            #expect(live?["state"] as? String == "live")

            #expect(try await deployment.command("consistency").contains(#""consistent":true"#))
            try await losePoints(of: id, in: deployment)
            await #expect(throws: CommandFailure.self) {
                try await deployment.command("consistency")
            }
            let repaired = try await deployment.command("consistency", "--repair")
            #expect(repaired.contains(#""missing_points":{"examples":[{"#), "\(repaired)")
            try await eventually(within: .seconds(60)) {
                try await unfinishedJobs(in: deployment) == 0
            }
            #expect(try await deployment.command("consistency").contains(#""consistent":true"#))

            let audit = try await admin.get("/admin/audit?actor=command%20line&limit=100")
            let actions = Set(audit.items("items").compactMap { $0["action"] as? String })
            #expect(
                actions == [
                    "training.synced", "reindex.requested", "consistency.requested",
                    "consistency.repaired",
                ], "\(audit.text)")
        }
    }

    @Test("says in one line what is wrong, and ends with another code than 0")
    func says() async throws {
        try await withDeployment(settings: scriptedModels("commands")) { deployment, _ in
            let path = "\(deployment.folder)/there.tar.zst"
            try Data("mine".utf8).write(to: URL(filePath: path))
            let cases: [(arguments: [String], says: String)] = [
                (["sync", "no-such-branch"], "no such branch, tag or commit"),
                (["sync", "--upload-pack=evil"], "Unknown option"),
                (["reindex", "nobody"], "no such attachment"),
                (["reindex", UUID().uuidString], "no such attachment"),
                (["reindex", "--all", UUID().uuidString], "--all is for everything"),
                (["reindex", "--wait"], "--wait needs an id"),
                (["backup", path], "is there already"),
                (["backup", "/nowhere/at/all"], "No such file or directory"),
                (["restore", "/nowhere/at/all"], "No such file or directory"),
                (["restore", path], "damaged"),
            ]
            for (arguments, says) in cases {
                let failure = await #expect(throws: CommandFailure.self, "\(arguments)") {
                    try await deployment.command(arguments)
                }
                let printed = failure?.description ?? ""
                #expect(printed.contains("Error: "), "\(printed)")
                #expect(printed.lowercased().contains(says.lowercased()), "\(printed)")
            }
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
            let left = try FileManager.default.contentsOfDirectory(atPath: deployment.folder)
            #expect(!left.contains { $0.hasSuffix(".partial") })
        }
    }

    @Test("waiting for a new index ends when somebody has to do something for it")
    func heldBack() async throws {
        let settings = try scriptedModels("commands").merging(["INGEST_ROLES": "api"]) { $1 }
        try await withDeployment(settings: settings) { deployment, _ in
            let worker = try deployment.startWorker()
            _ = try await LiveGeneration.of(deployment)
            // Nobody builds it, nor says anew what holds it back.
            await deployment.stop([worker])
            let command = try deployment.startCommand("reindex", "--all", "--wait")
            for blockers in ["question_model_away", "question_model_away,overlap_low"] {
                try await eventually {
                    try await deployment.database.read { session in
                        try session.run(
                            """
                            UPDATE celine_assistant.generations
                            SET blocked_by = string_to_array(\(blockers), ',')
                            WHERE state = 'building' RETURNING number
                            """
                        ).count == 1
                    }
                }
            }
            try await eventually { !command.isRunning }
            #expect(command.exitCode == 1)
            #expect(
                command.log.contains("held back: question_model_away, overlap_low"),
                "\(command.log)")
        }
    }

    @Test("a backup that nobody reads to its end fails, and says so")
    func brokenPipe() async throws {
        try await withDeployment(settings: scriptedModels("commands")) { deployment, _ in
            let failure = await #expect(throws: CommandFailure.self) {
                try await deployment.backUp(into: "true")
            }
            let printed = failure?.description ?? ""
            #expect(printed.contains("Error: the archive's file: "), "\(printed)")
        }
    }

    @Test("no command and no service runs on a schema that it does not know")
    func oldSchema() async throws {
        try await withDeployment(settings: scriptedModels("commands")) { deployment, replica in
            await deployment.stop(replica.all)
            try await deployment.database.read { session in
                try session.run(
                    script: """
                        DELETE FROM celine_assistant.schema_migrations WHERE version =
                            (SELECT max(version) FROM celine_assistant.schema_migrations)
                        """)
            }
            let failure = await #expect(throws: CommandFailure.self) {
                try await deployment.command("consistency")
            }
            let printed = failure?.description ?? ""
            #expect(printed.contains("run `admin migrate`"), "\(printed)")
            for name in ["admin", "chat", "ingest"] {
                let service = try deployment.startAlone(name)
                try await eventually { !service.isRunning }
                #expect(service.exitCode == 1, "\(name)")
                #expect(service.log.contains("run `admin migrate`"), "\(service.log)")
            }
        }
    }

    private func losePoints(of id: String, in deployment: Deployment) async throws {
        let collection = try await deployment.database.read { session in
            try session.run(
                "SELECT collection FROM celine_assistant.generations WHERE state = 'live'"
            ).first?.get("collection", as: String.self) ?? ""
        }
        try await callEngine(
            .POST, "/collections/\(collection)/points/delete?wait=true",
            #"{"filter": {"must": [{"key": "document_id", "match": {"value": "\#(id)"}}]}}"#,
            at: deployment.environment["QDRANT_URL"])
    }
}
