package import Domain
package import Postgres

/// Pages that were read by recognition, until the document they are of has a revision. The same file
/// always has the same pages: a document of uploads never changes its bytes.
package struct RecognisedPageStore {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    /// The layouts as they were given, in the order of the pages.
    package func list(of document: Document.ID) throws(PostgresError) -> [[UInt8]] {
        let rows = try session.run(
            """
            SELECT layout FROM recognised_pages
            WHERE tenant_id = \(Tenant.only) AND document_id = \(document) ORDER BY page
            """)
        var layouts: [[UInt8]] = []
        for row in rows { layouts.append(try row.get("layout")) }
        return layouts
    }

    /// - Parameters:
    ///   - page: 1-based.
    ///   - layout: what stands on it, in the reader's own form.
    package func insert(
        _ page: Int, of document: Document.ID, _ layout: [UInt8]
    ) throws(PostgresError) {
        try session.run(
            """
            INSERT INTO recognised_pages (tenant_id, document_id, page, layout)
            VALUES (\(Tenant.only), \(document), \(page), \(layout))
            ON CONFLICT (tenant_id, document_id, page) DO UPDATE SET layout = excluded.layout
            """)
    }

    package func delete(of document: Document.ID) throws(PostgresError) {
        try session.run(
            """
            DELETE FROM recognised_pages
            WHERE tenant_id = \(Tenant.only) AND document_id = \(document)
            """)
    }
}
