/// The Markdown of a repository at one commit, without what is left out: hidden files and folders,
/// the README at the root, and what the root's `.assistantignore` names in gitignore(5)'s words.
package struct GitSnapshot: Sendable, Hashable {
    package struct Page: Sendable, Hashable, Codable {
        /// In the repository, with `/`.
        package let path: String
        package let content: String

        package init(path: String, content: String) {
            self.path = path
            self.content = content
        }
    }

    package let commit: String
    package let pages: [Page]
    /// Markdown files over the size limit.
    package let oversized: [String]
    /// Markdown files left out, because the path of one before them in byte order reads the same:
    /// an accented letter may be one code point or two, and Swift takes such paths for equal.
    package let ambiguous: [String]

    package init(
        commit: String, pages: [Page], oversized: [String], ambiguous: [String] = []
    ) {
        self.commit = commit
        self.pages = pages
        self.oversized = oversized
        self.ambiguous = ambiguous
    }
}

/// What the child is asked, as JSON on its standard input: no secret stands in a list of arguments.
struct GitSnapshotRequest: Sendable, Codable {
    /// As `GitRemoteURL` takes it.
    let address: String
    let access: GitAccess
    let allowsPrivate: Bool
    /// Where the clone is, or shall be. Absolute.
    let path: String
    let target: String
    let certificateFile: String?
    let limits: GitLimits
}

package struct GitLimits: Sendable, Codable {
    /// Of one page.
    package var pageByteCountMax = 1 << 20
    package var pageCountMax = 5_000
    /// Of all pages together: they are held in memory.
    package var contentByteCountMax = 32 << 20
    /// Received from the remote in one fetch, and of all files of a commit.
    package var repositoryByteCountMax = 512 << 20

    package init() {}
}

/// One line of the child's answer.
enum GitSnapshotLine: Codable {
    case page(GitSnapshot.Page)
    case oversized(path: String)
    case ambiguous(path: String)
    /// The last line, if all went well.
    case commit(String)
    /// The last line, if not.
    case failure(GitFailure)
}

/// Why there is no snapshot.
package enum GitFailure: Error, Sendable, Hashable, Codable {
    /// The remote does not answer, refuses, or breaks off.
    case unreachable
    /// The remote is at an address that only we can reach, and that is not allowed.
    case privateAddress
    /// The remote has no such branch, tag or commit.
    case unknownTarget
    /// Files in the clone were changed by hand.
    case localChanges
    /// There is something at the clone's path that is no clone of ours.
    case notARepository
    /// Over one of the limits, by name.
    case tooLarge(String)
    /// Anything else: a full disk, a broken clone.
    case broken(String)
}
