import NIOHTTP1

/// What the engine says of a collection.
package struct CollectionDescription: Sendable, Hashable {
    package let pointsCount: Int
    /// Length of a dense vector.
    package let vectorSize: Int
    package let distance: String

    package init(pointsCount: Int, vectorSize: Int, distance: String) {
        self.pointsCount = pointsCount
        self.vectorSize = vectorSize
        self.distance = distance
    }
}

/// The name of a dense or sparse vector within a point.
enum VectorName {
    static let dense = "dense"
    static let sparse = "sparse"
}

extension Qdrant {
    /// Makes the collection with its vectors and payload indexes unless it is there. May be
    /// called by many at once, and again after it was cut short.
    package func ensureCollection(
        _ name: String, dimensionCount: Int
    ) async throws(QdrantError) {
        if let found = try await collectionDescription(name) {
            guard found.vectorSize == dimensionCount else {
                throw .refused(status: 409, message: "vectors of size \(found.vectorSize)")
            }
        } else {
            do {
                let _: Bool = try await call(
                    .PUT, path(name), deadline: .seconds(30), attemptCountMax: 1,
                    body: NewCollection(dimensionCount: dimensionCount))
            } catch .refused(let status, _) where status == 409 || status == 400 {
                // Somebody else made it meanwhile; what is there is checked below.
                guard try await collectionDescription(name)?.vectorSize == dimensionCount else {
                    throw .refused(status: status, message: "collection cannot be made")
                }
            }
        }
        for (field, schema) in PayloadIndex.all {
            let _: UpdateResult = try await call(
                .PUT, path(name, "/index?wait=true"), deadline: .seconds(30),
                body: PayloadIndex(fieldName: field, fieldSchema: schema))
        }
    }

    /// Nil when there is no such collection.
    package func collectionDescription(
        _ name: String
    ) async throws(QdrantError) -> CollectionDescription? {
        do {
            let found: FoundCollection = try await call(.GET, path(name), deadline: .seconds(5))
            let dense = found.config.params.vectors.dense
            return CollectionDescription(
                pointsCount: found.pointsCount ?? 0, vectorSize: dense?.size ?? 0,
                distance: dense?.distance ?? "")
        } catch .notFound {
            return nil
        }
    }

    /// Nothing happens when it is gone already.
    package func deleteCollection(_ name: String) async throws(QdrantError) {
        do {
            let _: Bool = try await call(.DELETE, path(name), deadline: .seconds(30))
        } catch .notFound {
            return
        }
    }

    /// Points people's tools to the collection in use. Ours never ask by alias.
    package func setAlias(_ alias: String, to collection: String) async throws(QdrantError) {
        let _: Bool = try await call(
            .POST, "/collections/aliases", deadline: .seconds(10),
            body: AliasActions(actions: [
                .init(createAlias: .init(aliasName: alias, collectionName: collection))
            ]))
    }

    /// Throws unless the engine answers.
    package func requireReachable(
        deadline: Duration = .seconds(2)
    ) async throws(QdrantError) {
        let _: Collections = try await call(
            .GET, "/collections", deadline: deadline, attemptCountMax: 1)
    }

    func path(_ collection: String, _ rest: String = "") -> String {
        "/collections/\(collection)\(rest)"
    }
}

private struct Collections: Decodable {}

private struct NewCollection: Encodable {
    struct Dense: Encodable {
        let size: Int
        let distance = "Cosine"
        private enum CodingKeys: CodingKey { case size, distance }
    }
    struct Sparse: Encodable {
        /// Rarity of a term over the collection, which the engine alone knows.
        let modifier = "idf"
        private enum CodingKeys: CodingKey { case modifier }
    }

    let vectors: [String: Dense]
    let sparseVectors = [VectorName.sparse: Sparse()]

    private enum CodingKeys: CodingKey { case vectors, sparseVectors }

    init(dimensionCount: Int) {
        vectors = [VectorName.dense: Dense(size: dimensionCount)]
    }
}

private struct PayloadIndex: Encodable {
    struct Schema: Encodable {
        let type = "keyword"
        /// Lets the engine keep one tenant's points together.
        var isTenant: Bool?
        private enum CodingKeys: CodingKey { case type, isTenant }
    }

    let fieldName: String
    let fieldSchema: Schema

    static let all: [(String, Schema)] = [
        ("tenant_id", Schema(isTenant: true)),
        ("scope", Schema()),
        ("kind", Schema()),
        ("document_id", Schema()),
        ("revision_id", Schema()),
        ("language", Schema()),
    ]
}

private struct AliasActions: Encodable {
    struct Action: Encodable {
        let createAlias: CreateAlias
    }
    struct CreateAlias: Encodable {
        let aliasName: String
        let collectionName: String
    }
    let actions: [Action]
}

private struct FoundCollection: Decodable {
    struct Config: Decodable {
        let params: Params
    }
    struct Params: Decodable {
        let vectors: Vectors
    }
    struct Vectors: Decodable {
        let dense: Dense?
    }
    struct Dense: Decodable {
        let size: Int
        let distance: String
    }
    let pointsCount: Int?
    let config: Config
}

/// What a write answers with `wait=true`: it has been applied.
struct UpdateResult: Decodable {
    let status: String
}
