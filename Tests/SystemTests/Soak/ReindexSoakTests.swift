import Foundation
import TestSupport
import Testing

@Suite("An index that is built anew", .serialized) struct ReindexSoakTests {
    let size = SoakSize()

    @Test("for models of another size answers all the while, and is gone back from")
    func otherSize() async throws {
        let (before, after) = (try IndexModels(size: 64), try IndexModels(size: 96))
        try await withDeployment(settings: before.settings) { deployment, first in
            let shelf = Shelf(of: try await deployment.member("alice", at: first))
            try await shelf.fill(chunkCount: size.chunkCount)
            try await eventually(within: size.drainLimit) {
                try await unfinishedJobs(in: deployment) == 0
            }
            await deployment.stop(first.all)

            // From here on all processes have the new models in their settings.
            let second = try await deployment.startReplica(settings: after.settings)
            let generations = IndexGenerations(
                deployment: deployment, admin: try await deployment.operatorMember(at: second))
            let alice = try await deployment.member("alice", at: second)
            let building = Shelf(shelf, at: alice)
            let built = try await underLoad(building) {
                let began = ContinuousClock.now
                let number = try await generations.build()
                try await generations.awaitLive(number, within: size.drainLimit)
                report("built beside the live index", began)
                return number
            }
            let check = try await generations.find(built)?["check"] as? [String: Any]
            #expect(check != nil)
            try await settle(deployment)
            var chunkCounts = try await generations.expectAgreement()
            print("reindex: chunks by generation \(chunkCounts)")

            try await underLoad(Shelf(building, at: alice)) {
                let began = ContinuousClock.now
                let answer = try await generations.admin.post("/admin/generations/1/activate")
                #expect([200, 202].contains(answer.status), "\(answer.text)")
                try await generations.awaitLive(1, within: size.drainLimit)
                report("gone back", began)
            }
            try await settle(deployment)
            chunkCounts = try await generations.expectAgreement()
            print("reindex: chunks by generation \(chunkCounts)")
            for models in [before, after] { try await models.expectOwnSize() }
            await deployment.stop(second.all)
        }
    }

    @Test("goes on while every process is killed at random moments, and the stores agree at last")
    func kills() async throws {
        print("reindex: SOAK_SEED=\(size.seed) SOAK_KILLS=\(size.killCount)")
        let (before, after) = (try IndexModels(size: 64), try IndexModels(size: 96))
        var generator = SeededGenerator(seed: size.seed)
        let api = ["INGEST_ROLES": "api"]
        try await withDeployment(settings: before.settings.merging(api) { $1 }) {
            deployment, first in
            let old = try deployment.startWorker()
            let shelf = Shelf(of: try await deployment.member("alice", at: first))
            try await shelf.fill(chunkCount: size.chunkCount)
            await deployment.stop(first.all + [old])

            let second = try await deployment.startReplica(settings: after.settings)
            let workers = try (0..<2).map { _ in
                try deployment.startWorker(settings: after.settings)
            }
            let downfall = Downfall(deployment, of: second.all + workers)
            let generations = IndexGenerations(
                deployment: deployment, admin: try await deployment.operatorMember(at: second))
            let load = Shelf(
                shelf, at: try await deployment.member("alice", at: second),
                toleratesRefusals: true)
            let number = try await generations.build()
            try await underLoad(load) {
                try await downfall.rage(using: &generator, count: size.killCount)
                try await generations.awaitLive(number, within: size.drainLimit)
            }
            try await settle(deployment)
            let chunkCounts = try await generations.expectAgreement()
            let tally = load.tally
            print(
                """
                reindex: killed \(downfall.counts); \(tally.searchCount) searches, \
                \(tally.refusedCount) refused, chunks by generation \(chunkCounts)
                """)
            #expect(Set(downfall.counts.keys) == ["gateway", "chat", "ingest", "admin"])
            await deployment.stop(downfall.processes)
        }
    }

    /// While documents come, go and are looked for.
    private func underLoad<Value>(
        _ shelf: Shelf, _ body: () async throws -> Value
    ) async throws -> Value {
        var generator = SeededGenerator(seed: size.seed)
        let seeds = (0..<3).map { _ in SeededGenerator(seed: generator.next()) }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await shelf.rearrange(using: seeds[0]) }
            for seed in seeds[1...] { group.addTask { try await shelf.search(using: seed) } }
            defer { shelf.end() }
            let value = try await body()
            shelf.end()
            try await group.waitForAll()
            let tally = shelf.tally
            #expect(tally.searchCount > 0)
            #expect(tally.repeatedCount * 20 <= tally.searchCount, "\(tally.repeatedCount)")
            print(
                """
                reindex: meanwhile \(tally.searchCount) searches (\(tally.repeatedCount) asked again), \(tally.addedCount) documents \
                put there in all, \(tally.removedCount) taken away
                """)
            return value
        }
    }

    private func settle(_ deployment: Deployment) async throws {
        try await eventually(within: size.drainLimit) {
            try await unfinishedJobs(in: deployment) == 0
        }
    }

    private func report(_ what: String, _ began: ContinuousClock.Instant) {
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        print("reindex: \(what) in \(String(format: "%.1f", seconds)) s")
    }
}
