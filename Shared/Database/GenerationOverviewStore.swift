package import Domain
package import FoundationEssentials
package import Postgres

/// All generations that ever were, for operators.
package struct GenerationOverviewStore {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    /// Newest first.
    package func list() throws(PostgresError) -> [GenerationOverview] {
        let rows = try session.run(
            """
            SELECT g.number, g.created_at, g.activated_at, g.retired_at, g.dropped_at,
                   g.forced_at IS NOT NULL AS forced, g.dropping_at IS NOT NULL AS dropping,
                   g.blocked_by, g.checked, coalesce(n.documents, 0) AS documents,
                   coalesce(n.chunks, 0) AS chunks
            FROM generations g LEFT JOIN (
                SELECT i.generation, count(DISTINCT i.document_id) AS documents,
                       count(c.id) AS chunks
                FROM indexed_documents i
                LEFT JOIN chunks c ON c.tenant_id = i.tenant_id AND c.revision_id = i.revision_id
                WHERE i.tenant_id = \(Tenant.only) GROUP BY i.generation
            ) n ON n.generation = g.number
            """)
        var rowOf: [Int: Row] = [:]
        for row in rows { rowOf[try row.get("number", as: Int.self)] = row }
        var overviews: [GenerationOverview] = []
        for generation in try GenerationStore(session).list().reversed() {
            guard let row = rowOf[generation.number] else { continue }
            overviews.append(try overview(generation, row))
        }
        return overviews
    }

    private func overview(
        _ generation: Generation, _ row: Row
    ) throws(PostgresError) -> GenerationOverview {
        let isDropping: Bool = try row.get("dropping")
        let isKept = generation.state == .retired && !isDropping
        let missing =
            generation.state == .building || isKept
            ? try GenerationContentStore(session).missing(in: generation.number) : nil
        return GenerationOverview(
            generation: generation, createdAt: try row.get("created_at"),
            activatedAt: try row.find("activated_at"), retiredAt: try row.find("retired_at"),
            droppedAt: try row.find("dropped_at"), isForced: try row.get("forced"),
            isDropping: isDropping, blockers: try row.get("blocked_by"),
            check: try row.find("checked", as: JSON<GenerationCheck>.self)?.value,
            documentCount: try row.get("documents"), chunkCount: try row.get("chunks"),
            missing: missing)
    }
}

package struct GenerationOverview: Sendable {
    package let generation: Generation
    package let createdAt: Date
    package let activatedAt: Date?
    package let retiredAt: Date?
    package let droppedAt: Date?
    package let isForced: Bool
    /// Given up, its collection not yet gone.
    package let isDropping: Bool
    /// As they are stored: another version may know others.
    package let blockers: [String]
    package let check: GenerationCheck?
    /// What it shows.
    package let documentCount: Int
    package let chunkCount: Int
    /// What the live one shows and it does not; nil for those that are not to become live.
    package let missing: MissingDocuments?
}
