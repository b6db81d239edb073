import Foundation
import TestSupport
import Testing

@Suite("Long runs", .serialized) struct SoakTests {
    let size = SoakSize()

    @Test("workers, connections, engine and files go away at random, and the stores agree at last")
    func uploads() async throws {
        print("soak: SOAK_SEED=\(size.seed) SOAK_DOCUMENTS=\(size.documentCount)")
        try await VectorEngine.run { engine in
            let settings = ["INGEST_ROLES": "api", "QDRANT_URL": engine.url]
            try await withDeployment(settings: settings) { deployment, replica in
                try await Takeovers.record(in: deployment)
                let uploads = SoakUploads(documentCount: size.documentCount)
                let chaos = try Chaos(deployment, engine: engine, workerCount: 2)
                try await run(uploads, chaos, deployment, replica)
                try await eventually(within: size.drainLimit) {
                    try await unfinishedJobs(in: deployment) == 0
                }
                try await expectAgreement(uploads.tally, in: deployment)
                try await report(uploads.tally, chaos.tally, in: deployment)
            }
        }
    }

    private func run(
        _ uploads: SoakUploads, _ chaos: Chaos, _ deployment: Deployment,
        _ replica: Deployment.Replica
    ) async throws {
        var generator = SeededGenerator(seed: size.seed)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for name in ["alice", "bob", "carla"] {
                let member = try await deployment.member(name, at: replica)
                let chance = SeededGenerator(seed: generator.next())
                group.addTask { try await uploads.upload(as: member, using: chance) }
            }
            try await chaos.rage(using: &generator, atMost: .seconds(size.chaosSecondsMax)) {
                guard uploads.isOver else { return false }
                return try await unfinishedJobs(in: deployment) <= size.documentCount / 20
            }
            try chaos.mend()
            try await group.waitForAll()
        }
    }

    private func expectAgreement(
        _ uploads: SoakUploads.Tally, in deployment: Deployment
    ) async throws {
        // What a paused worker had on its way is taken back a moment after it goes on.
        try await eventually(within: .seconds(60)) {
            let rows = try await StoredState(in: deployment).chunkRowCount
            return try await points(in: deployment) == rows
        }
        let stored = try await StoredState(in: deployment)
        let ids = Set(stored.attachments.map(\.id))
        #expect(ids.isSuperset(of: uploads.alive))
        #expect(ids.isDisjoint(with: uploads.deleted))
        // One whose commit was not confirmed may be there as well, and then it is there whole.
        #expect(ids.count <= uploads.alive.count + uploads.refusedCount)
        let strayCount = try await stored.expectAgreement(in: deployment)
        // Bytes whose rows Postgres could neither confirm nor deny stay until the stores are compared.
        #expect(strayCount <= uploads.refusedCount)
        let takeovers = try await Takeovers(in: deployment)
        #expect(takeovers.longestSeconds <= 30, "\(takeovers)")
        print("soak: \(ids.count) documents kept, \(strayCount) files without one")
    }

    private func report(
        _ uploads: SoakUploads.Tally, _ chaos: Chaos.Tally, in deployment: Deployment
    ) async throws {
        let takeovers = try await Takeovers(in: deployment)
        let blows = chaos.counts.map { "\($0.value) \($0.key)" }.sorted().joined(separator: ", ")
        print(
            """
            soak: \(uploads.alive.count) documents indexed, \(uploads.deleted.count) deleted, \
            \(uploads.refusedCount) answers to try again; \(blows); \(takeovers.count) jobs taken \
            over, the latest \(takeovers.longestSeconds.rounded(toPlaces: 1)) s after its lease
            """)
    }
}

extension Double {
    fileprivate func rounded(toPlaces count: Int) -> String { String(format: "%.\(count)f", self) }
}
