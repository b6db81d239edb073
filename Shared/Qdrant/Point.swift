package import Domain

/// One chunk as the engine holds it: both vectors, and what a search is narrowed by.
package struct Point: Sendable {
    package let chunkID: Chunk.ID
    package let dense: [Float]
    package let sparse: SparseVector
    package let payload: PointPayload

    package init(
        chunkID: Chunk.ID, dense: [Float], sparse: SparseVector, payload: PointPayload
    ) {
        self.chunkID = chunkID
        self.dense = dense
        self.sparse = sparse
        self.payload = payload
    }
}

/// What a point says about itself: enough to narrow a search, nothing to answer from.
package struct PointPayload: Sendable, Hashable {
    package let tenant: Tenant.ID
    package let documentID: Document.ID
    package let revisionID: Revision.ID
    package let owner: Owner
    package let kind: Document.Kind
    package let language: Language

    package init(
        tenant: Tenant.ID = Tenant.only, documentID: Document.ID, revisionID: Revision.ID,
        owner: Owner, kind: Document.Kind, language: Language
    ) {
        self.tenant = tenant
        self.documentID = documentID
        self.revisionID = revisionID
        self.owner = owner
        self.kind = kind
        self.language = language
    }

    /// `user:<sub>`, `shared` or `training`.
    var scope: String {
        switch (kind, owner) {
        case (.training, _): PointScope.training
        case (.upload, .shared): PointScope.shared
        case (.upload, .user(let id)): PointScope.user(id)
        }
    }
}

/// The values of a point's `scope`. A user named "shared" is `user:shared`: they cannot meet.
enum PointScope {
    static let shared = "shared"
    static let training = "training"

    static func user(_ id: User.ID) -> String { "user:\(id)" }

    /// All that a principal may see of the given sources.
    static func visible(to principal: Principal, sources: Set<SourceKind>) -> [String] {
        var scopes: [String] = []
        if sources.contains(.mine) { scopes.append(user(principal.user)) }
        if sources.contains(.shared) { scopes.append(shared) }
        if sources.contains(.training) { scopes.append(training) }
        return scopes
    }
}

/// A point on the wire.
struct PointBody: Encodable {
    let point: Point

    private enum Key: String, CodingKey { case id, vector, payload }
    private enum VectorKey: String, CodingKey { case dense, sparse }
    private enum PayloadKey: String, CodingKey {
        case tenant = "tenant_id"
        case document = "document_id"
        case revision = "revision_id"
        case scope, kind, language
    }

    func encode(to encoder: any Encoder) throws {
        var body = encoder.container(keyedBy: Key.self)
        try body.encode(point.chunkID, forKey: .id)
        var vector = body.nestedContainer(keyedBy: VectorKey.self, forKey: .vector)
        try vector.encode(point.dense, forKey: .dense)
        // An empty sparse vector matches nothing, which is what a chunk without words should do.
        try vector.encode(point.sparse, forKey: .sparse)
        var payload = body.nestedContainer(keyedBy: PayloadKey.self, forKey: .payload)
        try payload.encode(point.payload.tenant, forKey: .tenant)
        try payload.encode(point.payload.documentID, forKey: .document)
        try payload.encode(point.payload.revisionID, forKey: .revision)
        try payload.encode(point.payload.scope, forKey: .scope)
        try payload.encode(point.payload.kind, forKey: .kind)
        try payload.encode(point.payload.language, forKey: .language)
    }
}
