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

@Suite("Indexing")
struct IndexingTests {
    @Test("embeds the same text of the same owner once, and of another owner again")
    func embedsOnce() async throws {
        let model = EmbeddingServer()
        try await IngestWorld.make(model) { world in
            try await world.working {
                try await world.serving { client in
                    let alice = try world.headers(IngestWorld.alice)
                    let bob = try world.headers(IngestWorld.bob)
                    let before = model.texts.count
                    for headers in [alice, alice, bob] {
                        let made = try await client.upload(
                            "Batteries age.", named: "a.txt", headers: headers)
                        #expect(try made.json()["status"] as? String == "indexed")
                    }
                    #expect(model.texts.dropFirst(before) == ["Batteries age.", "Batteries age."])
                }
            }
        }
    }

    @Test("keeps a file that has no text in it")
    func withoutText() async throws {
        try await IngestWorld.make { world in
            try await world.working {
                try await world.serving { client in
                    let alice = try world.headers(IngestWorld.alice)
                    let made = try await client.upload(" \n\t\n ", named: "a.txt", headers: alice)
                    #expect(try made.json()["status"] as? String == "stored")
                }
            }
        }
    }

    @Test("cuts a chunk again that the model counts as too long, until it fits")
    func provesTheWindow() async throws {
        // This model counts every letter: our own estimate is far too low for it.
        let model = EmbeddingServer { $0.unicodeScalars.count }
        try await IngestWorld.make(model, settings: ["EMBED_WINDOW_TOKENS": "128"]) { world in
            try await world.working {
                try await world.serving { client in
                    let alice = try world.headers(IngestWorld.alice)
                    let text = (1...30).map { "Sentence \($0) speaks of heat pumps." }
                        .joined(separator: " ")
                    let made = try await client.upload(text, named: "a.txt", headers: alice)
                    #expect(try made.json()["status"] as? String == "indexed")
                    let chunks = try await world.chunks()
                    #expect(chunks.count >= 10)
                    let scalars = Array(text.unicodeScalars)
                    for chunk in chunks {
                        #expect(chunk.text.unicodeScalars.count < 128)
                        let span = String(String.UnicodeScalarView(scalars[chunk.span]))
                        #expect(span == chunk.text)
                    }
                }
            }
        }
    }

    @Test("goes on where a worker that died had stopped, once its lease is over")
    func takesOver() async throws {
        let model = EmbeddingServer()
        try await IngestWorld.make(model) { world in
            try await world.ingest.firstGeneration.ensure()
            try await world.serving { client in
                let alice = try world.headers(IngestWorld.alice)
                let made = try await client.upload(
                    "# A\n\nOne.\n\n# B\n\nTwo.\n\n# C\n\nThree.", named: "a.md",
                    query: "?wait=0", headers: alice)
                let id = try #require(try made.json()["id"] as? String)
                // What a worker leaves that was killed in its second batch.
                let hash = ChunkDraft.hash(of: "A\nOne.")
                let index = try await world.liveIndex()
                try await world.ingest.pool.transaction { transaction in
                    try transaction.run(
                        """
                        UPDATE jobs SET state = 'running', attempt = 1, worker = 'dead',
                            claimable_at = now() - interval '1 second'
                        """)
                    try EmbeddingStore(transaction).insert(
                        [Float](repeating: 1, count: index.dimensionCount), hash: hash,
                        owner: .user(IngestWorld.alice), modelFingerprint: index.modelFingerprint)
                }
                let before = model.texts.count
                try await world.working {
                    try await eventually {
                        try await client.execute(
                            uri: "/attachments/\(id)", method: .get, headers: alice
                        ).json()["status"] as? String == "indexed"
                    }
                    // A second attempt tidies up after the first.
                    try await world.expectAllJobsFinished()
                }
                // Starting, it also asks the model for its size.
                let asked = Set(model.texts.dropFirst(before)).subtracting(["size"])
                #expect(asked == ["B\nTwo.", "C\nThree."])
                #expect(try await world.pointCount(of: #require(Document.ID(id))) == 3)
            }
        }
    }

    @Test("cannot bring back a file that is deleted while it is indexed")
    func deletedMeanwhile() async throws {
        let model = EmbeddingServer()
        let release = Signal()
        try await IngestWorld.make(model, leaseSeconds: 12) { world in
            try await world.working {
                try await world.serving { client in
                    let alice = try world.headers(IngestWorld.alice)
                    model.hold(until: release)
                    let made = try await client.upload(
                        "To be gone.", named: "a.txt", query: "?wait=0", headers: alice)
                    let id = try #require(try made.json()["id"] as? String)
                    try await model.wasAsked.wait()
                    let gone = try await client.execute(
                        uri: "/attachments/\(id)", method: .delete, headers: alice)
                    #expect(gone.status == .ok)
                    release.fire()
                    let after = try await client.execute(
                        uri: "/attachments/\(id)", method: .get, headers: alice)
                    #expect(after.status == .notFound)
                    try await world.expectAllJobsFinished()
                    let document = try #require(Document.ID(id))
                    #expect(try await world.pointCount(of: document) == 0)
                    #expect(world.storedFileCount == 0)
                    #expect(try await world.rowCount(of: ["documents", "chunks"]) == 0)
                }
            }
        }
    }

    @Test("builds a second generation beside the live one, swaps it in whole and keeps the first")
    func rebuilds() async throws {
        try await IngestWorld.make { world in
            try await world.working {
                try await world.serving { client in
                    let alice = try world.headers(IngestWorld.alice)
                    for number in 1...3 {
                        _ = try await client.upload(
                            "Text \(number).", named: "\(number).txt", headers: alice)
                    }
                }
                let old = try await world.liveIndex()
                var next = old
                next.passageModel = "another-model"
                let index = next
                let number = try await world.ingest.pool.transaction { transaction in
                    let made = try GenerationStore(transaction).insert(
                        index, collectionBase: world.ingest.settings.qdrant.collectionBase)
                    try JobQueue().enqueue(
                        BuildGenerationJob.kind, BuildGenerationJob(number: made.number),
                        subject: "generation \(made.number)", priority: .bulk, in: transaction)
                    return made.number
                }
                try await world.expectAllJobsFinished()
                let generations = try await world.ingest.pool.read {
                    try GenerationStore($0).list()
                }
                #expect(generations.map(\.state) == [.retired, .live])
                #expect(generations.last?.number == number)
                let collection = try #require(generations.last?.collection)
                #expect(try await world.ingest.qdrant.count(in: collection) == 3)
            }
        }
    }

    @Test("shows all pages of a sync at once, and replaces and removes by the next")
    func training() async throws {
        let model = EmbeddingServer()
        try await IngestWorld.make(model) { world in
            try await world.working {
                try await world.sync(["a.md": "# A\n\nOld a.", "b.md": "# B\n\nOld b."])
                #expect(try await world.shownTexts() == ["Old a.", "Old b."])
                let before = model.texts.count
                try await world.sync(["a.md": "# A\n\nNew a."], removing: ["b.md"])
                #expect(try await world.shownTexts() == ["New a."])
                #expect(model.texts.dropFirst(before) == ["A\nNew a."])
                try await world.expectAllJobsFinished()
                #expect(try await world.rowCount(of: ["chunks", "documents", "embeddings"]) == 3)
            }
        }
    }
}
