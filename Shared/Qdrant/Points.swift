package import Domain
import NIOHTTP1

extension Qdrant {
    /// Most points of one request: with 1,536 dimensions a point is about 20 KiB of JSON, and
    /// Qdrant takes 32 MiB.
    package static let upsertCountMax = 256

    /// Returns when the points can be found. The same points again are the same points.
    /// `deadline` is for all of them; after it no request of this call is open.
    package func upsert(
        _ points: [Point], into collection: String, deadline: Duration = .seconds(20)
    ) async throws(QdrantError) {
        let end = ContinuousClock.now + deadline
        var rest = points[...]
        while !rest.isEmpty {
            let batch = rest.prefix(Self.upsertCountMax)
            rest = rest.dropFirst(batch.count)
            let _: UpdateResult = try await call(
                .PUT, path(collection, "/points?wait=true"), deadline: end - .now,
                body: Upsert(points: batch.map(PointBody.init)))
        }
    }

    /// Returns when they are gone. A collection that is gone has none.
    package func deletePoints(
        document: Document.ID, tenant: Tenant.ID = Tenant.only, in collection: String,
        deadline: Duration = .seconds(20)
    ) async throws(QdrantError) {
        try await delete(.document(document, tenant: tenant), in: collection, deadline: deadline)
    }

    package func deletePoints(
        revision: Revision.ID, tenant: Tenant.ID = Tenant.only, in collection: String,
        deadline: Duration = .seconds(20)
    ) async throws(QdrantError) {
        try await delete(.revision(revision, tenant: tenant), in: collection, deadline: deadline)
    }

    /// Counted, not estimated. A collection that is gone has none.
    package func countPoints(
        document: Document.ID, tenant: Tenant.ID = Tenant.only, in collection: String
    ) async throws(QdrantError) -> Int {
        try await count(.document(document, tenant: tenant), in: collection)
    }

    package func countPoints(
        revision: Revision.ID, tenant: Tenant.ID = Tenant.only, in collection: String
    ) async throws(QdrantError) -> Int {
        try await count(.revision(revision, tenant: tenant), in: collection)
    }

    /// All of a collection.
    package func count(in collection: String) async throws(QdrantError) -> Int {
        try await count(nil, in: collection)
    }

    private func delete(
        _ filter: Filter, in collection: String, deadline: Duration
    ) async throws(QdrantError) {
        do {
            let _: UpdateResult = try await call(
                .POST, path(collection, "/points/delete?wait=true"), deadline: deadline,
                body: Deletion(filter: filter))
        } catch .notFound {
            return
        }
    }

    private func count(
        _ filter: Filter?, in collection: String
    ) async throws(QdrantError) -> Int {
        do {
            let counted: Counted = try await call(
                .POST, path(collection, "/points/count"), deadline: .seconds(10),
                body: Count(filter: filter))
            return counted.count
        } catch .notFound {
            return 0
        }
    }
}

private struct Upsert: Encodable {
    let points: [PointBody]
}

private struct Deletion: Encodable {
    let filter: Filter
}

private struct Count: Encodable {
    let filter: Filter?
    let exact = true
    private enum CodingKeys: CodingKey { case filter, exact }
}

private struct Counted: Decodable {
    let count: Int
}
