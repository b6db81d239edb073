import AsyncHTTPClient
import Domain
import Foundation
import Logging
import OutboundHTTP
import Testing

@testable import Qdrant

/// A collection of its own for each test, in the real engine.
func withCollection<Result>(
    _ body: (Qdrant, String) async throws -> Result
) async throws -> Result {
    let url = try #require(ProcessInfo.processInfo.environment["TEST_QDRANT_URL"])
    return try await withQdrant(at: url) { qdrant in
        let name = "test_\(UUID().uuidString)"
        try await qdrant.ensureCollection(name, dimensionCount: 3)
        do {
            let result = try await body(qdrant, name)
            try await qdrant.deleteCollection(name)
            return result
        } catch {
            try await qdrant.deleteCollection(name)
            throw error
        }
    }
}

private func withQdrant<Result>(
    at url: String, _ body: (Qdrant) async throws -> Result
) async throws -> Result {
    let client = OutboundHTTP.makeClient()
    let http = OutboundHTTP(client: client, peer: "qdrant", logger: Logger(label: "test"))
    do {
        let result = try await body(Qdrant(http: http, url: url, apiKey: nil))
        try await client.shutdown()
        return result
    } catch {
        try await client.shutdown()
        throw error
    }
}

private let alice = Principal(user: User.ID(rawValue: "alice"))
private let bob = Principal(user: User.ID(rawValue: "bob"))

func point(
    _ dense: [Float], terms: [UInt32: Float] = [:], owner: Owner = .shared,
    kind: Document.Kind = .upload, document: Document.ID = Document.ID(),
    revision: Revision.ID = Revision.ID(), tenant: Tenant.ID = Tenant.only,
    language: Language = .italian
) -> Point {
    Point(
        chunkID: Chunk.ID(), dense: dense, sparse: SparseVector(terms),
        payload: PointPayload(
            tenant: tenant, documentID: document, revisionID: revision, owner: owner, kind: kind,
            language: language))
}

@Suite("The vector engine")
struct QdrantTests {
    private let east: [Float] = [1, 0, 0]

    @Test("makes a collection once, however often it is asked")
    func collections() async throws {
        try await withCollection { qdrant, name in
            try await qdrant.ensureCollection(name, dimensionCount: 3)
            let found = try await qdrant.collectionDescription(name)
            #expect(
                found
                    == CollectionDescription(pointsCount: 0, vectorSize: 3, distance: "Cosine"))
            await #expect(throws: QdrantError.self) {
                try await qdrant.ensureCollection(name, dimensionCount: 4)
            }
            #expect(try await qdrant.collectionDescription("test_absent") == nil)
            try await qdrant.deleteCollection("test_absent")
        }
    }

    @Test("makes a collection that many want at once")
    func race() async throws {
        try await withCollection { qdrant, name in
            try await qdrant.deleteCollection(name)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask { try await qdrant.ensureCollection(name, dimensionCount: 3) }
                }
                try await group.waitForAll()
            }
            #expect(try await qdrant.count(in: name) == 0)
        }
    }

    @Test("finds what was written as soon as the write returns")
    func upserts() async throws {
        try await withCollection { qdrant, name in
            let points = (0..<300).map { _ in point(east, terms: [7: 1]) }
            try await qdrant.upsert(points, into: name)
            try await qdrant.upsert(points, into: name)
            #expect(try await qdrant.count(in: name) == 300)
            let found = try await qdrant.query(
                HybridQuery(for: alice, dense: east, sparse: SparseVector([7: 1]), limit: 10),
                in: name)
            #expect(found.count == 10)
        }
    }

    @Test("deletes by document and by revision, and counts exactly")
    func deletes() async throws {
        try await withCollection { qdrant, name in
            let (document, revision) = (Document.ID(), Revision.ID())
            try await qdrant.upsert(
                [
                    point(east, document: document), point(east),
                    point(east, document: document, revision: revision),
                ], into: name)
            #expect(try await qdrant.countPoints(document: document, in: name) == 2)
            #expect(try await qdrant.countPoints(revision: revision, in: name) == 1)
            try await qdrant.deletePoints(revision: revision, in: name)
            #expect(try await qdrant.countPoints(document: document, in: name) == 1)
            try await qdrant.deletePoints(document: document, in: name)
            #expect(try await qdrant.countPoints(document: document, in: name) == 0)
            #expect(try await qdrant.count(in: name) == 1)
        }
    }

    @Test("has nothing to delete or count where there is no collection")
    func absent() async throws {
        try await withCollection { qdrant, _ in
            try await qdrant.deletePoints(document: Document.ID(), in: "test_absent")
            #expect(try await qdrant.count(in: "test_absent") == 0)
            await #expect(throws: QdrantError.notFound) {
                try await qdrant.upsert([point(east)], into: "test_absent")
            }
            await #expect(throws: QdrantError.notFound) {
                try await qdrant.query(
                    HybridQuery(for: alice, dense: east, sparse: SparseVector([:]), limit: 1),
                    in: "test_absent")
            }
        }
    }

    @Test("refuses vectors of another length")
    func otherLength() async throws {
        try await withCollection { qdrant, name in
            do {
                try await qdrant.upsert([point([1, 0])], into: name)
                Issue.record("accepted")
            } catch QdrantError.refused(let status, let message) {
                #expect(status == 400)
                #expect(!message.isEmpty)
            }
        }
    }

    @Test("points an alias at one collection after another")
    func aliases() async throws {
        try await withCollection { qdrant, name in
            let alias = "\(name)_live"
            try await qdrant.setAlias(alias, to: name)
            try await qdrant.upsert([point(east)], into: name)
            #expect(try await qdrant.count(in: alias) == 1)
            let other = "\(name)_2"
            try await qdrant.ensureCollection(other, dimensionCount: 3)
            try await qdrant.setAlias(alias, to: other)
            #expect(try await qdrant.count(in: alias) == 0)
            try await qdrant.deleteCollection(other)
        }
    }

    @Test("that is not there is unreachable")
    func unreachable() async throws {
        try await withQdrant(at: "http://127.0.0.1:1") { qdrant in
            await #expect(throws: QdrantError.unreachable) {
                try await qdrant.requireReachable()
            }
            await #expect(throws: QdrantError.unreachable) {
                try await qdrant.query(
                    HybridQuery(for: alice, dense: east, sparse: SparseVector([:]), limit: 1),
                    in: "any", deadline: .seconds(1))
            }
        }
    }
}

@Suite("A hybrid query")
struct QdrantQueryTests {
    private let east: [Float] = [1, 0, 0]
    private let north: [Float] = [0, 1, 0]

    @Test("proposes only what the principal may see")
    func scope() async throws {
        try await withCollection { qdrant, name in
            let own = point(east, terms: [1: 1], owner: .user(alice.user))
            let shared = point(east, terms: [1: 1])
            let training = point(east, terms: [1: 1], kind: .training)
            let others = [
                point(east, terms: [1: 1], owner: .user(bob.user)),
                // A name that looks like a scope is a name.
                point(east, terms: [1: 1], owner: .user(User.ID(rawValue: "shared"))),
                point(east, terms: [1: 1], owner: .user(alice.user), tenant: Tenant.ID()),
            ]
            try await qdrant.upsert([own, shared, training] + others, into: name)
            func found(_ sources: Set<SourceKind>) async throws -> Set<Chunk.ID> {
                let query = HybridQuery(
                    for: alice, sources: sources, dense: east, sparse: SparseVector([1: 1]),
                    limit: 10)
                return Set(try await qdrant.query(query, in: name).map(\.chunkID))
            }
            #expect(
                try await found([.mine, .shared, .training])
                    == [own.chunkID, shared.chunkID, training.chunkID])
            #expect(try await found([.mine]) == [own.chunkID])
            #expect(try await found([.shared]) == [shared.chunkID])
            #expect(try await found([.training]) == [training.chunkID])
            #expect(try await found([]) == [])
        }
    }

    @Test("can be narrowed to documents, but not beyond the scope")
    func documents() async throws {
        try await withCollection { qdrant, name in
            let own = point(east, owner: .user(alice.user))
            let foreign = point(east, owner: .user(bob.user))
            try await qdrant.upsert([own, foreign, point(east)], into: name)
            let query = HybridQuery(
                for: alice, documents: [own.payload.documentID, foreign.payload.documentID],
                dense: east, sparse: SparseVector([:]), limit: 10)
            #expect(try await qdrant.query(query, in: name).map(\.chunkID) == [own.chunkID])
        }
    }

    @Test("fuses both halves and keeps their scores")
    func fusion() async throws {
        try await withCollection { qdrant, name in
            let both = point([0.9, 0.1, 0], terms: [1: 2])
            let meaning = point(east, terms: [2: 1])
            let words = point(north, terms: [1: 2.2])
            try await qdrant.upsert([both, meaning, words], into: name)
            let found = try await qdrant.query(
                HybridQuery(
                    for: alice, dense: east, sparse: SparseVector([1: 1]),
                    fusion: Fusion(
                        k: 20, dense: 1, sparse: 1, foreignDense: 0, foreignSparse: 0),
                    limit: 10),
                in: name)
            // Proposed by both halves, they come before what only one knows.
            #expect(found.last?.chunkID == meaning.chunkID)
            #expect(found.map(\.score) == found.map(\.score).sorted(by: >))
            let first = try #require(found.first { $0.chunkID == both.chunkID })
            #expect(abs((first.denseScore ?? 0) - 0.9939) < 0.001)
            #expect((first.sparseScore ?? 0) > 0)
            #expect(found.last?.sparseScore == nil)
        }
    }

    @Test("lets meaning stand in for the words that a chunk in another language cannot share")
    func languages() async throws {
        try await withCollection { qdrant, name in
            let answer = point([0.9, 0.1, 0], language: .italian)
            let (near, wordy) = (point(east, language: .english), point(north, terms: [1: 1]))
            try await qdrant.upsert([answer, near, wordy], into: name)
            func first(foreignDense: Double) async throws -> Chunk.ID? {
                try await qdrant.query(
                    HybridQuery(
                        for: alice, dense: east, sparse: SparseVector([1: 1]), language: .english,
                        fusion: Fusion(
                            k: 1, dense: 1, sparse: 0.1, foreignDense: foreignDense,
                            foreignSparse: 0.1),
                        limit: 10),
                    in: name
                ).first?.chunkID
            }
            #expect(try await first(foreignDense: 0) == near.chunkID)
            #expect(try await first(foreignDense: 0.8) == answer.chunkID)
        }
    }

    @Test("works with one half alone")
    func halves() async throws {
        try await withCollection { qdrant, name in
            let one = point(east, terms: [1: 1])
            let other = point(north, terms: [2: 1])
            try await qdrant.upsert([one, other], into: name)
            let words = try await qdrant.query(
                HybridQuery(for: alice, dense: nil, sparse: SparseVector([2: 1]), limit: 5),
                in: name)
            #expect(words.map(\.chunkID) == [other.chunkID])
            #expect(words[0].denseScore == nil && words[0].sparseScore != nil)
            let meaning = try await qdrant.query(
                HybridQuery(for: alice, dense: east, sparse: SparseVector([:]), limit: 1),
                in: name)
            #expect(meaning.map(\.chunkID) == [one.chunkID])
            #expect(meaning[0].sparseScore == nil && meaning[0].denseScore != nil)
        }
    }

    @Test("weighs rare terms more")
    func rarity() async throws {
        try await withCollection { qdrant, name in
            let common = (0..<20).map { _ in point(north, terms: [1: 1]) }
            let rare = point(north, terms: [2: 1])
            try await qdrant.upsert(common + [rare], into: name)
            let found = try await qdrant.query(
                HybridQuery(for: alice, dense: nil, sparse: SparseVector([1: 1, 2: 1]), limit: 5),
                in: name)
            #expect(found.first?.chunkID == rare.chunkID)
        }
    }

    @Test("is asked with others in one request, each answered in its place")
    func batches() async throws {
        try await withCollection { qdrant, name in
            let one = point(east, terms: [1: 1])
            let other = point(north, terms: [2: 1])
            try await qdrant.upsert([one, other], into: name)
            let found = try await qdrant.query(
                [
                    HybridQuery(for: alice, dense: east, sparse: SparseVector([1: 1]), limit: 1),
                    HybridQuery(for: alice, dense: nil, sparse: SparseVector([:]), limit: 1),
                    HybridQuery(for: alice, dense: north, sparse: SparseVector([:]), limit: 1),
                ], in: name)
            #expect(
                found.map { $0.map(\.chunkID) } == [[one.chunkID], [], [other.chunkID]])
        }
    }
}
