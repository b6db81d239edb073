import Database
import Domain
import Foundation
import HTTPTypes
import HummingbirdTesting
import JobQueue
import Postgres
import Qdrant
import ServiceRuntime
import TestSupport
import Testing

@testable import Ingest

@Suite("An index generation that is replaced or given up")
struct GenerationEndTests {
    @Test("is gone for good when it is given up while it is written to, and another can begin")
    func cancelled() async throws {
        let model = EmbeddingServer()
        try await IngestWorld.make(model) { world in
            try await world.working {
                try await world.sync(["a.md": "# A\n\nThis is a."])
                let release = Signal()
                model.hold(until: release) { model, _ in model == "slow" }
                let number = try await world.begin { $0.passageModel = "slow" }
                try await model.wasAsked.wait()
                let generation = try await world.overview(of: number).generation
                try await world.cancel(number)
                #expect(try await world.overview(of: number).isDropping)
                release.fire()
                try await world.expectAllJobsFinished()
                #expect(try await world.state(of: number) == .dropped)
                let collections = GenerationCollections(
                    pool: world.ingest.pool, qdrant: world.ingest.qdrant)
                // As a worker would that had been away for long.
                try await collections.make(generation)
                let found = try await world.ingest.qdrant.collectionDescription(
                    generation.collection)
                #expect(found == nil)
                let next = try await world.rebuild { $0.passageModel = "slow" }
                #expect(next == number + 1)
                try await world.expectAgreement(in: next)
            }
        }
    }

    @Test("is gone back to with what came, changed and went since")
    func goneBackTo() async throws {
        let model = EmbeddingServer()
        try await IngestWorld.make(model) { world in
            try await world.working {
                try await world.serving { client in
                    let alice = try world.headers(IngestWorld.alice)
                    let gone = try await client.upload("To go.", named: "g.txt", headers: alice)
                    try await world.sync(["a.md": "# A\n\nOld a.", "b.md": "# B\n\nOld b."])
                    let number = try await world.rebuild { index in
                        index.passageModel = "wide-16"
                        index.questionModel = "wide-16"
                        index.dimensionCount = 16
                    }
                    let id = try #require(try gone.json()["id"] as? String)
                    _ = try await client.execute(
                        uri: "/attachments/\(id)", method: .delete, headers: alice)
                    _ = try await client.upload("To come.", named: "c.txt", headers: alice)
                    try await world.sync(["a.md": "# A\n\nNew a."])
                    try await world.expectAllJobsFinished()
                    #expect(try await world.pointCount(of: #require(Document.ID(id))) == 0)
                    #expect(try await world.overview(of: 1).missing?.count == 2)

                    try await world.goBack(to: 1)
                    try await world.expectAllJobsFinished()
                    #expect(try await world.state(of: 1) == .live)
                    #expect(try await world.state(of: number) == .retired)
                    #expect(try await world.shownTexts() == ["New a.", "Old b.", "To come."])
                    for number in [1, number] { try await world.expectAgreement(in: number) }
                    let alias = world.ingest.settings.qdrant.collectionBase + "__live"
                    let size = try await world.ingest.qdrant.collectionDescription(alias)?
                        .vectorSize
                    #expect(size == EmbeddingServer.dimensionCount)
                }
            }
        }
    }

    @Test("keeps no points of a document that was being written when it was replaced")
    func replacedMeanwhile() async throws {
        let model = EmbeddingServer()
        try await IngestWorld.make(model) { world in
            try await world.working {
                try await world.serving { client in
                    let alice = try world.headers(IngestWorld.alice)
                    try await world.sync(["a.md": "# A\n\nThis is a."])
                    let (mayBuild, mayCome) = (Signal(), Signal())
                    model.hold(until: mayBuild) { $0 == "slow" && $1.contains("A\nThis is a.") }
                    let number = try await world.begin { $0.passageModel = "slow" }
                    try await model.wasAsked.wait()
                    // The request that is held already goes on waiting for the first signal.
                    model.hold(until: mayCome) { $0 == "slow" && $1.contains("To come.") }
                    _ = try await client.upload(
                        "To come.", named: "c.txt", query: "?wait=0", headers: alice)
                    try await eventually { model.texts.count { $0 == "To come." } == 2 }
                    mayBuild.fire()
                    try await eventually { try await world.state(of: number) == .live }
                    mayCome.fire()
                    try await world.expectAllJobsFinished()
                    #expect(try await world.shownTexts() == ["This is a.", "To come."])
                    for number in [1, number] { try await world.expectAgreement(in: number) }
                }
            }
        }
    }

    @Test("keeps no points of a worker that died before the document was shown")
    func diedMeanwhile() async throws {
        try await IngestWorld.make(EmbeddingServer()) { world in
            try await world.working {
                try await world.serving { client in
                    let alice = try world.headers(IngestWorld.alice)
                    let made = try await client.upload("A.", named: "a.txt", headers: alice).json()
                    let id = try #require((made["id"] as? String).flatMap { Attachment.ID($0) })
                    try await world.expectAllJobsFinished()
                    // As it is when the worker dies after its last point, and the index is replaced.
                    let pool = world.ingest.pool
                    try await pool.read { _ = try $0.run("DELETE FROM indexed_documents") }
                    let number = try await world.rebuild { $0.passageModel = "other" }
                    try await pool.transaction { transaction in
                        let job = try JobQueue().enqueue(
                            IndexAttachmentJob.kind, IndexAttachmentJob(attachmentID: id),
                            subject: id.description, in: transaction)
                        try transaction.run(
                            "UPDATE jobs SET attempt = 1 WHERE id = \(job.rawValue)")
                    }
                    try await world.expectAllJobsFinished()
                    #expect(try await world.shownTexts() == ["A."])
                    for number in [1, number] { try await world.expectAgreement(in: number) }
                }
            }
        }
    }

    @Test("goes when a newer one is kept, with what only it had need of")
    func pruned() async throws {
        try await IngestWorld.make { world in
            try await world.working {
                try await world.sync(["a.md": "# A\n\nThis is a."])
                let first = try await world.overview(of: 1).generation
                _ = try await world.rebuild { $0.passageModel = "second" }
                _ = try await world.rebuild { index in
                    index.passageModel = "third"
                    index.chunkingVersion = Chunking.version(windowTokenCount: 256)
                }
                let states = try await world.ingest.pool.read {
                    try GenerationStore($0).list().map(\.state)
                }
                #expect(states == [.dropped, .retired, .live])
                let found = try await world.ingest.qdrant.collectionDescription(first.collection)
                #expect(found == nil)
                let kept = try await world.vectorSizes()
                #expect(kept[first.index.modelFingerprint] == nil)
                #expect(kept.count == 2)
                #expect(try await world.rowCount(of: ["revisions"]) == 2)

                _ = try await world.rebuild { _ in }
                #expect(try await world.rowCount(of: ["revisions"]) == 1)
            }
        }
    }

    @Test("stays while a chat replica asks it")
    func asked() async throws {
        try await IngestWorld.make(settings: ["GENERATIONS_KEPT": "0"]) { world in
            try await world.working {
                try await world.ingest.pool.read {
                    try ChatReplicaStore($0).beat("late", generation: 1, reloadSequence: 0)
                }
                let number = try await world.begin { $0.passageModel = "second" }
                try await eventually(within: .seconds(30)) {
                    try await world.ingest.pool.read { session in
                        try !session.run(
                            """
                            SELECT id FROM jobs WHERE kind = 'drop_generation' AND attempt > 0
                              AND state = 'ready'
                            """
                        ).isEmpty
                    }
                }
                #expect(try await world.state(of: number) == .live)
                #expect(try await world.state(of: 1) == .retired)
                try await world.ingest.pool.read { try ChatReplicaStore($0).delete("late") }
                try await world.expectAllJobsFinished()
                #expect(try await world.state(of: 1) == .dropped)
            }
        }
    }

    @Test("keeps no vector of another size than its own")
    func wrongSize() async throws {
        let model = EmbeddingServer()
        try await IngestWorld.make(model) { world in
            try await world.working {
                try await world.serving { client in
                    let alice = try world.headers(IngestWorld.alice)
                    model.resize("test-passage", to: 12)
                    _ = try await client.upload(
                        "Too long.", named: "a.txt", query: "?wait=0", headers: alice)
                    try await eventually {
                        try await world.ingest.pool.read { session in
                            try !session.run("SELECT id FROM jobs WHERE failure_count > 0").isEmpty
                        }
                    }
                    #expect(try await world.vectorSizes().isEmpty)
                    model.resize("test-passage", to: EmbeddingServer.dimensionCount)
                    try await world.expectAllJobsFinished()
                    #expect(try await world.shownTexts() == ["Too long."])
                }
            }
        }
    }
}
