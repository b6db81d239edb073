import Domain
import Foundation
import NIOHTTP1
import TestSupport
import Testing

@testable import Qdrant

@Suite("Reading the points of a collection")
struct QdrantScrollTests {
    private let east: [Float] = [1, 0, 0]

    @Test("goes through all of them in the order of their ids, page by page")
    func pages() async throws {
        try await withCollection { qdrant, name in
            let points = (0..<25).map { _ in point(east) }
            try await qdrant.upsert(points, into: name)
            try await callEngine(
                .PUT, "/collections/\(name)/points?wait=true",
                #"{"points": [{"id": 7, "vector": {"dense": [1, 0, 0]}}]}"#)
            var found: [StoredPoint] = []
            var next: PointID?
            repeat {
                let page = try await qdrant.scroll(name, from: next, countMax: 10)
                #expect(page.points.count <= 10)
                found += page.points
                next = page.next
            } while next != nil
            let ids = points.map { PointID($0.chunkID) } + [.number(7)]
            #expect(found.map(\.id) == ids.sorted())
            #expect(found.first?.documentID == nil)
            let byID = Dictionary(uniqueKeysWithValues: found.map { ($0.id, $0) })
            for point in points {
                #expect(byID[PointID(point.chunkID)]?.differences(from: point.payload) == [])
            }
        }
    }

    @Test("tells in what a point is not as it should be, whatever was written there")
    func differences() async throws {
        try await withCollection { qdrant, name in
            let own = point(east, owner: .user(User.ID(rawValue: "alice")))
            try await qdrant.upsert([own], into: name)
            func write(_ payload: String) async throws -> [StoredPoint.Difference] {
                try await callEngine(
                    .PUT, "/collections/\(name)/points/payload?wait=true",
                    #"{"payload": \#(payload), "points": ["\#(own.chunkID)"]}"#)
                let id = PointID(own.chunkID)
                let found = try await qdrant.find([id, .number(3)], in: name)
                #expect(found.count == 1)
                return try #require(found[id]).differences(from: own.payload)
            }
            #expect(try await write("{}") == StoredPoint.Difference.allCases)
            let scope = #"{"scope": "user:alice", "tenant_id": ["x"], "kind": "upload"}"#
            #expect(try await write(scope) == [.tenant, .document, .revision, .language])
        }
    }

    @Test("deletes by id, and finds nothing where there is no collection")
    func deletes() async throws {
        try await withCollection { qdrant, name in
            let points = [point(east), point(east)]
            try await qdrant.upsert(points, into: name)
            try await qdrant.deletePoints([PointID(points[0].chunkID)], in: name)
            #expect(try await qdrant.count(in: name) == 1)
            try await qdrant.deletePoints([], in: name)
            #expect(try await qdrant.count(in: name) == 1)
            #expect(try await qdrant.find([.number(1)], in: "test_absent").isEmpty)
            try await qdrant.deletePoints([.number(1)], in: "test_absent")
            await #expect(throws: QdrantError.notFound) {
                _ = try await qdrant.scroll("test_absent", from: nil)
            }
            #expect(try await qdrant.collectionNames().contains(name))
        }
    }
}
