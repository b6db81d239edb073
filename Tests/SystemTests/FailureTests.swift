import Domain
import Foundation
import Postgres
import TestSupport
import Testing

@Suite("Failures") struct FailureTests {
    @Test("loses no upload and makes no duplicate when a worker is killed in the middle")
    func killedWorker() async throws {
        try await withDeployment(settings: ["INGEST_ROLES": "api"]) { deployment, replica in
            let alice = try await deployment.member("alice", at: replica)
            var ids: [String] = []
            for number in 1...3 {
                let text = (1...12).map {
                    "# Part \($0)\n\nFile \(number), part \($0): the code is \(number * 1000 + $0)."
                }.joined(separator: "\n\n")
                let upload = try await alice.upload("file-\(number).md", text, to: "/upload?wait=0")
                #expect(upload.status == 201)
                ids.append(try #require(upload["id"]))
            }
            let doomed = try deployment.startWorker()
            try await eventually {
                try await embeddingCount(in: deployment) > 0
            }
            doomed.kill9()
            let heir = try deployment.startWorker()
            for id in ids {
                try await eventually(within: .seconds(120)) {
                    try await alice.get("/attachments/\(id)")["status"] == "indexed"
                }
                let chunks = try await alice.get("/attachments/\(id)").json["chunk_count"] as? Int
                #expect(try await points(of: id, in: deployment) == chunks)
            }
            // Second attempts tidy up after the first.
            try await eventually { try await unfinishedJobs(in: deployment) == 0 }
            await deployment.stop([heir])
        }
    }

    @Test("goes on when every connection to Postgres is cut while files come in")
    func postgresCut() async throws {
        try await withDeployment { deployment, replica in
            let alice = try await deployment.member("alice", at: replica)
            var accepted: [String] = []
            for number in 1...12 {
                if number % 4 == 0 { try await cutConnections(of: deployment) }
                let upload = try await alice.upload(
                    "cut-\(number).txt", "Note \(number): the lamp is number \(number * 31).",
                    to: "/upload?wait=0")
                if upload.status == 201 { accepted.append(try #require(upload["id"])) }
                #expect([201, 503].contains(upload.status), "\(upload.text)")
            }
            #expect(accepted.count >= 6)
            for id in accepted {
                try await eventually(within: .seconds(120)) {
                    try await alice.get("/attachments/\(id)")["status"] == "indexed"
                }
                #expect(try await points(of: id, in: deployment) == 1)
            }
        }
    }

    @Test("loses no upload and makes no duplicate when the vector engine is killed under load")
    func killedEngine() async throws {
        try await withOwnEngine { engine, deployment, replica in
            let alice = try await deployment.member("alice", at: replica)
            var ids: [String] = []
            for number in 1...9 {
                if number == 4 { engine.kill() }
                if number == 8 { try await engine.start() }
                let upload = try await alice.upload(
                    "note-\(number).txt", "Note \(number): valve \(number * 17) is open.",
                    to: "/upload?wait=0")
                #expect(upload.status == 201, "\(upload.text)")
                ids.append(try #require(upload["id"]))
            }
            for id in ids {
                try await eventually(within: .seconds(120)) {
                    try await alice.get("/attachments/\(id)")["status"] == "indexed"
                }
                #expect(try await points(of: id, in: deployment) == 1)
            }
        }
    }

    @Test("answers in words, and says so, while the vector engine is away")
    func degraded() async throws {
        try await withOwnEngine { engine, deployment, replica in
            let alice = try await deployment.member("alice", at: replica)
            let upload = try await alice.upload("barn.txt", "The barn key hangs behind the clock.")
            #expect(upload["status"] == "indexed", "\(upload.text)")
            let id = try #require(upload["id"])
            engine.kill()

            let found = try await alice.search("Where does the barn key hang?")
            #expect(found.json["degraded"] as? Bool == true)
            #expect(found.items("results").count == 1)
            let reply = try await alice.ask("Where does the barn key hang?")
            #expect(reply.text.contains("behind the clock"))
            #expect(reply.events.contains { $0.fields["stage"] as? String == "degraded" })

            // A deletion holds from its commit on, whatever is down.
            #expect(try await alice.delete("/attachments/\(id)").status == 200)
            #expect(try await alice.search("barn key").items("results").isEmpty)
            try await engine.start()
            try await eventually(within: .seconds(60)) {
                try await points(of: id, in: deployment) == 0
            }
        }
    }

    private func withOwnEngine(
        _ body: (VectorEngine, Deployment, Deployment.Replica) async throws -> Void
    ) async throws {
        try await VectorEngine.run { engine in
            try await withDeployment(settings: ["QDRANT_URL": engine.url]) {
                try await body(engine, $0, $1)
            }
        }
    }
}
