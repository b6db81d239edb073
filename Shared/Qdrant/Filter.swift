import Domain

/// The part of Qdrant's filter language that we use: all conditions must hold, each one a key
/// that has one of some values.
struct Filter: Encodable {
    struct Condition: Encodable {
        let key: String
        let match: Match
    }

    /// `any` is what the engine calls it.
    struct Match: Encodable {
        let any: [String]
    }

    let must: [Condition]

    init(_ conditions: (key: String, values: [String])...) {
        must = conditions.map { Condition(key: $0.key, match: Match(any: $0.values)) }
    }

    private init(must: [Condition]) { self.must = must }

    /// What a principal may see. No scope at all matches nothing: denied by default.
    init(
        for principal: Principal, sources: Set<SourceKind>, documents: [Document.ID]?,
        languages: [Language]? = nil
    ) {
        var must = Self(
            ("tenant_id", [principal.tenant.description]),
            ("scope", PointScope.visible(to: principal, sources: sources))
        ).must
        if let documents {
            must.append(
                Condition(
                    key: "document_id", match: Match(any: documents.map(\.description))))
        }
        if let languages {
            must.append(
                Condition(key: "language", match: Match(any: languages.map(\.rawValue))))
        }
        self.init(must: must)
    }

    static func document(_ id: Document.ID, tenant: Tenant.ID) -> Filter {
        Filter(("tenant_id", [tenant.description]), ("document_id", [id.description]))
    }

    static func revision(_ id: Revision.ID, tenant: Tenant.ID) -> Filter {
        Filter(("tenant_id", [tenant.description]), ("revision_id", [id.description]))
    }
}
