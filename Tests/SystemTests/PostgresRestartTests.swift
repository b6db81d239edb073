import Foundation
import Postgres
import TestSupport
import Testing

@Suite("A restart of Postgres") struct PostgresRestartTests {
    @Test("under uploads and questions loses nothing, makes nothing twice, and nobody restarts")
    func restarts() async throws {
        try await withPostgresServer { postgres in
            try await postgres.start()
            try await withDeployment(postgres: postgres) { deployment, replica in
                let alice = try await deployment.member("alice", at: replica)
                let first = try await alice.upload("lamp.txt", "The lamp by the gate is number 31.")
                #expect(first["status"] == "indexed", "\(first.text)")
                let load = MemberLoad(uploadCountMax: 400)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await load.upload(as: alice) { "Note \($0) of one." } }
                    group.addTask { try await load.upload(as: alice) { "Note \($0) of two." } }
                    group.addTask {
                        try await load.ask(as: alice, "Which number is the lamp by the gate?")
                    }
                    group.addTask {
                        defer { load.end() }
                        for how in [PostgresServer.Stop.immediate, .fast, .immediate] {
                            try await load.awaitMore(acknowledged: 3, answered: 1)
                            try await postgres.stop(how)
                            try await load.awaitMore(refused: 2)
                            try await postgres.start()
                            try await load.awaitMore(acknowledged: 1)
                        }
                    }
                    try await group.waitForAll()
                }
                try await expectNothingLost(load.tally, of: alice, in: deployment)
                for process in replica.all { #expect(process.isRunning, "\(process.name)") }
                try await eventually { try await alice.get("/health/ready").status == 200 }
                let reply = try await alice.ask("Which number is the lamp by the gate?")
                #expect(reply.text.contains("31"))
            }
        }
    }

    private func expectNothingLost(
        _ tally: MemberLoad.Tally, of member: Member, in deployment: Deployment
    ) async throws {
        let kept = try await deployment.database.read { session in
            try session.run(
                """
                SELECT id::text AS id FROM celine_assistant.attachments
                WHERE filename LIKE 'note-%'
                """
            ).map { try $0.get("id", as: String.self) }
        }
        #expect(Set(tally.acknowledged).count == tally.acknowledged.count)
        #expect(Set(kept).isSuperset(of: tally.acknowledged))
        // One whose commit was not confirmed may be there as well, and then it is there whole.
        #expect(kept.count <= tally.acknowledged.count + tally.refusedCount)
        try await expectWhole(kept, of: member, in: deployment, within: .seconds(300))
        #expect(!tally.replies.isEmpty)
        try await expectKept(tally.replies, of: member)
        print(
            """
            restarts: \(tally.acknowledged.count) acknowledged, \(tally.refusedCount) refused, \
            \(kept.count - tally.acknowledged.count) kept without a word; \
            \(tally.replies.count) answered, \(tally.unansweredCount) not
            """)
    }
}
