import Crypto
import Database
import Domain
import Git

/// How a commit's pages differ from those shown now.
struct TrainingChanges {
    struct Page {
        let page: GitSnapshot.Page
        let contentHash: [UInt8]
        /// Nil for a new page.
        let documentID: Document.ID?
    }

    /// New and changed ones, and those that the live index lacks.
    private(set) var pages: [Page] = []
    private(set) var removed: [TrainingPage] = []
    private(set) var skippedCount = 0

    /// - Parameter repositoryURL: a page shown from another repository goes, whatever its path.
    init(from shown: [TrainingPage], to snapshot: GitSnapshot, repositoryURL: String) {
        var rest: [String: TrainingPage] = [:]
        for page in shown {
            if page.repositoryURL == repositoryURL {
                rest[page.path] = page
            } else {
                removed.append(page)
            }
        }
        for page in snapshot.pages {
            let hash = Array(SHA256.hash(data: Array(page.content.utf8)))
            let old = rest.removeValue(forKey: page.path)
            if let old, old.isIndexed, old.contentHash == hash {
                skippedCount += 1
            } else {
                pages.append(Page(page: page, contentHash: hash, documentID: old?.documentID))
            }
        }
        // One that grew too large keeps its old content.
        for path in snapshot.oversized { rest[path] = nil }
        removed += rest.values.sorted { $0.path < $1.path }
    }

    /// The id of a page seen for the first time.
    static func documentID(repositoryURL: String, path: String) -> Document.ID {
        Document.ID(namespace: Tenant.only.rawValue, name: "\(repositoryURL)\n\(path)")
    }
}
