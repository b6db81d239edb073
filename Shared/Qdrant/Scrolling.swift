package import Domain
import NIOHTTP1

extension Qdrant {
    /// A page of a collection's points in the order of their ids, without vectors.
    package struct PointPage: Sendable {
        package let points: [StoredPoint]
        /// Where the next page begins; nil when this is the last.
        package let next: PointID?
    }

    /// Most points of one page: with a scope as long as names get about 600 bytes of JSON each.
    package static let scrollCountMax = 2_000

    /// Those from one id on. What is written meanwhile may be in it or not.
    package func scroll(
        _ collection: String, from id: PointID?, countMax: Int = scrollCountMax
    ) async throws(QdrantError) -> PointPage {
        let page: Scrolled = try await call(
            .POST, path(collection, "/points/scroll"), deadline: .seconds(30),
            body: Scroll(offset: id, limit: min(countMax, Self.scrollCountMax)))
        return PointPage(points: page.points, next: page.nextPageOffset)
    }

    /// Those of them that are there. A collection that is gone has none.
    package func find(
        _ ids: [PointID], in collection: String
    ) async throws(QdrantError) -> [PointID: StoredPoint] {
        var found: [PointID: StoredPoint] = [:]
        var rest = ids[...]
        while !rest.isEmpty {
            let batch = rest.prefix(Self.scrollCountMax)
            rest = rest.dropFirst(batch.count)
            do {
                let points: [StoredPoint] = try await call(
                    .POST, path(collection, "/points"), deadline: .seconds(30),
                    body: Retrieval(ids: Array(batch)))
                for point in points { found[point.id] = point }
            } catch .notFound {
                return [:]
            }
        }
        return found
    }

    /// Returns when they are gone. A collection that is gone has none.
    package func deletePoints(
        _ ids: [PointID], in collection: String, deadline: Duration = .seconds(8)
    ) async throws(QdrantError) {
        guard !ids.isEmpty else { return }
        do {
            let _: UpdateResult = try await call(
                .POST, path(collection, "/points/delete?wait=true"), deadline: deadline,
                body: NamedPoints(points: ids))
        } catch .notFound {
            return
        }
    }

    /// The names of all collections, also of others'.
    package func collectionNames() async throws(QdrantError) -> [String] {
        let found: FoundCollections = try await call(.GET, "/collections", deadline: .seconds(10))
        return found.collections.map(\.name)
    }
}

private struct Scroll: Encodable {
    let offset: PointID?
    let limit: Int
    let withPayload = WrittenPayload()
    let withVector = false
    private enum CodingKeys: CodingKey { case offset, limit, withPayload, withVector }
}

private struct Retrieval: Encodable {
    let ids: [PointID]
    let withPayload = WrittenPayload()
    let withVector = false
    private enum CodingKeys: CodingKey { case ids, withPayload, withVector }
}

/// What we write into payloads, and nothing that others may have added.
private struct WrittenPayload: Encodable {
    let include = ["tenant_id", "document_id", "revision_id", "scope", "kind", "language"]
    private enum CodingKeys: CodingKey { case include }
}

private struct Scrolled: Decodable {
    let points: [StoredPoint]
    let nextPageOffset: PointID?
}

private struct NamedPoints: Encodable {
    let points: [PointID]
}

private struct FoundCollections: Decodable {
    struct Named: Decodable { let name: String }
    let collections: [Named]
}
