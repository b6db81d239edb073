import Database
import Domain
import Foundation
import HTTPTypes
import HummingbirdTesting
import JobQueue
import Postgres
import Qdrant
import TestSupport
import Testing

@testable import Ingest

@Suite("A new index generation")
struct GenerationTests {
    @Test("of another size has what came, changed and went while it was built; so has the live one")
    func meanwhile() async throws {
        let model = EmbeddingServer()
        try await IngestWorld.make(model) { world in
            try await world.working {
                try await world.serving { client in
                    let alice = try world.headers(IngestWorld.alice)
                    let gone = try await client.upload("To go.", named: "g.txt", headers: alice)
                    _ = try await client.upload("To stay.", named: "s.txt", headers: alice)
                    try await world.sync(["a.md": "# A\n\nOld a.", "b.md": "# B\n\nOld b."])
                    let release = Signal()
                    model.hold(until: release) { model, _ in model == "wide-16" }
                    let number = try await world.begin { index in
                        index.passageModel = "wide-16"
                        index.questionModel = "wide-16"
                        index.dimensionCount = 16
                    }
                    try await model.wasAsked.wait()
                    _ = try await client.upload(
                        "To come.", named: "c.txt", query: "?wait=0", headers: alice)
                    let id = try #require(try gone.json()["id"] as? String)
                    let deleted = try await client.execute(
                        uri: "/attachments/\(id)", method: .delete, headers: alice)
                    #expect(deleted.status == .ok)
                    #expect(try await world.state(of: number) == .building)
                    release.fire()
                    try await world.sync(["a.md": "# A\n\nNew a."], removing: ["b.md"])
                    try await world.expectAllJobsFinished()
                    #expect(try await world.state(of: number) == .live)
                    #expect(try await world.shownTexts() == ["New a.", "To come.", "To stay."])
                    for number in [1, number] { try await world.expectAgreement(in: number) }
                    let sizes = try await world.vectorSizes().values
                    #expect(Set(sizes) == [[EmbeddingServer.dimensionCount], [16]])
                }
            }
        }
    }

    @Test("does not bring back what a page said when its indexing began")
    func overtaken() async throws {
        let model = EmbeddingServer()
        try await IngestWorld.make(model) { world in
            try await world.working {
                try await world.sync(["a.md": "# A\n\nOld a."])
                let release = Signal()
                model.hold(until: release) { $0 == "wide-16" && $1.contains("A\nOld a.") }
                let number = try await world.begin { index in
                    index.passageModel = "wide-16"
                    index.questionModel = "wide-16"
                    index.dimensionCount = 16
                }
                try await model.wasAsked.wait()
                try await world.sync(["a.md": "# A\n\nNew a."])
                release.fire()
                try await world.expectAllJobsFinished()
                #expect(try await world.state(of: number) == .live)
                #expect(try await world.shownTexts() == ["New a."])
                for number in [1, number] { try await world.expectAgreement(in: number) }
            }
        }
    }

    @Test("waits for a document that cannot be indexed anew, until it can, or is done without")
    func deadJobs() async throws {
        try await IngestWorld.make { world in
            try await world.working {
                try await world.serving { client in
                    let alice = try world.headers(IngestWorld.alice)
                    for name in ["a", "b"] {
                        _ = try await client.upload(
                            "Text \(name).", named: "\(name).txt", headers: alice)
                    }
                    let (kept, away) = try await world.takeAway("Text a.")
                    let number = try await world.begin {
                        $0.chunkingVersion = Chunking.version(windowTokenCount: 256)
                    }
                    try await eventually(within: .seconds(30)) {
                        try await world.overview(of: number).blockers == ["dead_jobs"]
                    }
                    #expect(try await world.overview(of: number).missing?.failedCount == 1)
                    #expect(try await world.state(of: number) == .building)
                    try FileManager.default.moveItem(at: away, to: kept)
                    try await world.retryDead()
                    try await world.expectAllJobsFinished()
                    #expect(try await world.state(of: number) == .live)
                    #expect(try await world.shownTexts() == ["Text a.", "Text b."])

                    _ = try await world.takeAway("Text a.")
                    let last = try await world.begin {
                        $0.chunkingVersion = Chunking.version(windowTokenCount: 128)
                    }
                    try await eventually(within: .seconds(30)) {
                        try await world.overview(of: last).blockers == ["dead_jobs"]
                    }
                    try await world.force(last)
                    try await world.expectAllJobsFinished()
                    #expect(try await world.state(of: last) == .live)
                    #expect(try await world.shownTexts() == ["Text b."])
                }
            }
        }
    }

    @Test("is compared with the live one by figures, and waits if it finds other things")
    func compared() async throws {
        let model = EmbeddingServer()
        try await IngestWorld.make(model, settings: ["REINDEX_OVERLAP_MIN": "1"]) { world in
            try await world.working {
                let pages = (1...40).map { number in
                    ("\(number).md", "Leaf \(number * 7919 % 1000) of \(number * 104_729 % 977).")
                }
                try await world.sync(Dictionary(pages) { $1 })
                _ = try await world.converse(
                    "Zebra crossings, tell me?", "None.", by: IngestWorld.alice)
                _ = try await world.converse("Anything to say?", "Mine.", by: IngestWorld.bob)
                let alike = try await world.rebuild { _ in }
                let first = try #require(try await world.overview(of: alike).check)
                #expect(first.next.documents == 40)
                #expect(first.next.points == first.next.pointsExpected)
                #expect(first.questions.sampled == 2)
                #expect(first.questions.compared == 2)
                #expect(first.questions.documentOverlap == 1)
                #expect(first.questions.chunkOverlap == 1)

                let odd = try await world.begin { index in
                    index.passageModel = "odd"
                    index.questionModel = "odd"
                }
                try await eventually(within: .seconds(30)) {
                    try await world.overview(of: odd).blockers == ["overlap_low"]
                }
                let second = try #require(try await world.overview(of: odd).check)
                #expect(second.questions.documentOverlap ?? 1 < 1)
                #expect(try await world.state(of: odd) == .building)
                #expect(
                    try await world.tables(with: "zebra crossings") == [
                        "conversations", "messages",
                    ])
                try await world.force(odd)
                try await world.expectAllJobsFinished()
                #expect(try await world.state(of: odd) == .live)
            }
        }
    }

    @Test("waits while questions cannot be embedded for it, and only then")
    func questionModel() async throws {
        let model = EmbeddingServer()
        try await IngestWorld.make(model) { world in
            try await world.working {
                try await world.sync(["a.md": "# A\n\nThis is a."])
                model.refuse("asked")
                let number = try await world.begin { $0.questionModel = "asked" }
                try await eventually(within: .seconds(30)) {
                    try await world.overview(of: number).blockers == ["question_model_away"]
                }
                model.serve("asked")
                try await world.expectAllJobsFinished()
                #expect(try await world.state(of: number) == .live)
                // The one before is not served any more: there is nothing to compare with.
                model.refuse("asked")
                let next = try await world.rebuild { $0.questionModel = "test-passage" }
                let check = try #require(try await world.overview(of: next).check)
                #expect(check.questions.isLiveModelAway)
                #expect(check.questions.documentOverlap == nil)
            }
        }
    }

    @Test("is not swapped in while the engine holds fewer points than were written")
    func lostPoints() async throws {
        let model = EmbeddingServer()
        try await IngestWorld.make(model) { world in
            try await world.working {
                try await world.sync(["a.md": "# A\n\nThis is a.", "b.md": "# B\n\nThis is b."])
                let release = Signal()
                model.hold(until: release) { $0 == "slow" && $1.contains("B\nThis is b.") }
                let number = try await world.begin { $0.passageModel = "slow" }
                try await model.wasAsked.wait()
                try await eventually {
                    try await world.overview(of: number).documentCount == 1
                }
                let collection = try await world.overview(of: number).generation.collection
                try await world.ingest.qdrant.deleteCollection(collection)
                release.fire()
                try await eventually(within: .seconds(30)) {
                    try await world.overview(of: number).blockers == ["points_missing"]
                }
                #expect(try await world.shownTexts() == ["This is a.", "This is b."])
                try await world.force(number)
                try await world.expectAllJobsFinished()
                #expect(try await world.state(of: number) == .live)
            }
        }
    }
}

extension IngestWorld {
    /// Moves the file that says this out of the workers' reach: where it was, and where it is.
    fileprivate func takeAway(_ text: String) async throws -> (URL, URL) {
        let keys = try await ingest.pool.read { session in
            try session.run(
                """
                SELECT a.storage_key FROM attachments a
                JOIN revisions r ON r.document_id = a.id AND r.text = \(text) LIMIT 1
                """
            ).map { try $0.get("storage_key", as: String.self) }
        }
        let kept = folder.appending(path: try #require(keys.first))
        let away = folder.appending(path: "away")
        try FileManager.default.moveItem(at: kept, to: away)
        return (kept, away)
    }

    fileprivate func retryDead() async throws {
        try await ingest.pool.transaction { transaction in
            for row in try transaction.run("SELECT id FROM jobs WHERE state = 'dead'") {
                _ = try JobQueue().retry(JobID(rawValue: try row.get("id")), in: transaction)
            }
        }
    }
}
