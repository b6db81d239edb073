import Database
import Domain
import Foundation
import JobQueue
import NIOHTTP1
import ObjectStorage
import Postgres
import Qdrant
import ServiceRuntime
import TestSupport

@testable import Admin

/// One fault of each kind, some in several ways, beside a document without any.
struct PlantedFaults: Sendable {
    /// By kind, what is named.
    let ids: [String: [String]]
    let toReindex: [Document.ID]
    let orphanedKey: String

    init(in world: AdminWorld, _ live: Generation) async throws {
        _ = try await world.store("whole", by: "alice", in: [live])
        let pointless = try await world.store("pointless", by: "alice", in: [live])
        try await world.admin.qdrant.deletePoints(
            [PointID(pointless.chunks[1]), PointID(pointless.chunks[2])], in: live.collection)

        let stolen = try await world.store("stolen", by: "alice", in: [live])
        try await Self.setPayload(#"{"scope": "user:mallory"}"#, stolen.chunks[0], live)
        try await Self.setPayload(#"{"tenant_id": "another"}"#, stolen.chunks[1], live)
        let mixed = try await world.store("mixed", in: [live])
        try await Self.setPayload(
            #"{"revision_id": "\#(Revision.ID())"}"#, mixed.chunks[0], live)
        try await Self.setPayload(#"{"language": 7}"#, mixed.chunks[1], live)

        let vectorless = try await world.store("vectorless", by: "alice", in: [live])
        try await world.pool.transaction { transaction in
            _ = try transaction.run(
                "DELETE FROM embeddings WHERE text_hash = \(Array("vectorless 1".utf8))")
        }
        let byteless = try await world.store("byteless", by: "alice", in: [live])
        try await world.admin.storage.delete(key: byteless.key)

        let deleted = try await world.store("deleted", by: "alice", in: [live])
        try await world.pool.transaction { transaction in
            _ = try DocumentStore(transaction).delete(deleted.id)
        }
        let strays = try await Self.plantStrays(in: world, live)

        orphanedKey = UploadKey.new()
        try await world.put(orphanedKey, hoursAgo: 25)
        let building = try await world.pool.transaction { transaction in
            try GenerationStore(transaction).insert(
                live.index, collectionBase: world.admin.settings.qdrant.collectionBase)
        }
        let unknown = "\(world.admin.settings.qdrant.collectionBase)__0123abcd__7"
        try await world.admin.qdrant.ensureCollection(unknown, dimensionCount: 3)

        toReindex = [pointless.id, stolen.id, mixed.id, vectorless.id]
        ids = [
            "missing_points": pointless.chunks[1...].map(\.description),
            "wrong_owners": stolen.chunks[..<2].map(\.description),
            "wrong_payloads": mixed.chunks[..<2].map(\.description),
            "missing_vectors": [vectorless.chunks[1].description],
            "missing_bytes": [byteless.id.description],
            "orphaned_bytes": [UploadKey.name(of: orphanedKey)],
            "orphaned_points": strays,
            "missing_collections": [building.collection],
            "orphaned_collections": [unknown],
            "unfinished_deletions": [deleted.id.description],
        ]
    }

    /// Of a document that never was, of one whose revision is gone, of a revision that is not shown,
    /// and of nothing at all.
    private static func plantStrays(
        in world: AdminWorld, _ live: Generation
    ) async throws -> [String] {
        let kept = try await world.store("kept", in: [live])
        let failed = try await world.store("failed", chunkCount: 1, in: [])
        let points = [
            world.point(Chunk.ID(), Document.ID()), world.point(Chunk.ID(), kept.id),
            world.point(failed.chunks[0], failed.id, failed.revision),
        ]
        try await world.admin.qdrant.upsert(points, into: live.collection)
        let dense = [String](repeating: "0.1", count: 384).joined(separator: ",")
        try await callEngine(
            .PUT, "/collections/\(live.collection)/points?wait=true",
            """
            {"points": [{"id": 42, "vector": {
                "dense": [\(dense)], "sparse": {"indices": [1], "values": [1.0]}}}]}
            """)
        return points.map(\.chunkID.description) + ["42"]
    }

    private static func setPayload(
        _ payload: String, _ chunk: Chunk.ID, _ live: Generation
    ) async throws {
        try await callEngine(
            .POST, "/collections/\(live.collection)/points/payload?wait=true",
            #"{"payload": \#(payload), "points": ["\#(chunk)"]}"#)
    }
}

extension AdminWorld {
    /// A generation whose collection is not made yet.
    func beginBuilding() async throws {
        let live = try await live()
        try await pool.transaction { transaction in
            let building = try GenerationStore(transaction).insert(
                live.index, collectionBase: admin.settings.qdrant.collectionBase)
            try JobQueue().enqueue(
                BuildGenerationJob.kind, BuildGenerationJob(number: building.number),
                subject: "generation \(building.number)", in: transaction)
        }
    }
}
