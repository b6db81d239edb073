package import Domain

/// What a point says of itself, as somebody may have written it: any of it may be missing.
package struct StoredPoint: Sendable, Hashable {
    package let id: PointID
    let tenant: String?
    let document: String?
    let revision: String?
    let scope: String?
    let kind: String?
    let language: String?

    /// Nil where it names none.
    package var documentID: Document.ID? { document.flatMap { Document.ID($0) } }

    /// Which parts of the payload are not as they should be.
    package enum Difference: String, Sendable, CaseIterable {
        case tenant, scope, document, revision, kind, language

        /// Whether it decides who finds the point.
        package var isOfOwner: Bool { self == .tenant || self == .scope }
    }

    package func differences(from payload: PointPayload) -> [Difference] {
        var differences: [Difference] = []
        if tenant != payload.tenant.description { differences.append(.tenant) }
        if scope != payload.scope { differences.append(.scope) }
        if document != payload.documentID.description { differences.append(.document) }
        if revision != payload.revisionID.description { differences.append(.revision) }
        if kind != payload.kind.rawValue { differences.append(.kind) }
        if language != payload.language.rawValue { differences.append(.language) }
        return differences
    }
}

extension StoredPoint: Decodable {
    private enum CodingKeys: CodingKey { case id, payload }

    /// As our decoder reads the names of the payload's fields.
    private enum PayloadKeys: CodingKey {
        case tenantId, documentId, revisionId, scope, kind, language
    }

    package init(from decoder: any Decoder) throws {
        let point = try decoder.container(keyedBy: CodingKeys.self)
        id = try point.decode(PointID.self, forKey: .id)
        // A point may have no payload at all, or something else than our texts in it.
        let payload = try? point.nestedContainer(keyedBy: PayloadKeys.self, forKey: .payload)
        func text(_ key: PayloadKeys) -> String? {
            // Whatever is not a text is none of ours.
            try? payload?.decode(String.self, forKey: key)
        }
        tenant = text(.tenantId)
        document = text(.documentId)
        revision = text(.revisionId)
        scope = text(.scope)
        kind = text(.kind)
        language = text(.language)
    }
}
