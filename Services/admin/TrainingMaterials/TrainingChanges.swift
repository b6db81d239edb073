import Database
import Domain
import Git

/// How a commit's pages differ from those shown now.
struct TrainingChanges {
    struct Change {
        let page: TrainingPages.Page
        /// Nil for a new page.
        let documentID: Document.ID?
    }

    /// New and changed ones, and those that the live index lacks.
    private(set) var changes: [Change] = []
    private(set) var removed: [TrainingPage] = []
    private(set) var skipped: [TrainingPage] = []

    /// - Parameters:
    ///   - oversized: paths of pages that grew too large: they keep their old content.
    ///   - repositoryURL: a page shown from another repository goes, whatever its path.
    init(
        from shown: [TrainingPage], to pages: [TrainingPages.Page], oversized: [String],
        repositoryURL: String
    ) {
        // By bytes, as the tables have them: texts that only read the same are equal to Swift.
        var rest: [[UInt8]: TrainingPage] = [:]
        for page in shown {
            if page.repositoryURL == repositoryURL {
                rest[Array(page.path.utf8)] = page
            } else {
                removed.append(page)
            }
        }
        for page in pages {
            let old = rest.removeValue(forKey: Array(page.path.utf8))
            if let old, old.isIndexed, old.contentHash == page.hash {
                skipped.append(old)
            } else {
                changes.append(Change(page: page, documentID: old?.documentID))
            }
        }
        for path in oversized { rest[Array(path.utf8)] = nil }
        removed += rest.values.sorted { $0.path < $1.path }
    }

    /// The id of a page seen for the first time.
    static func documentID(repositoryURL: String, path: String) -> Document.ID {
        Document.ID(namespace: Tenant.only.rawValue, name: "\(repositoryURL)\n\(path)")
    }
}
