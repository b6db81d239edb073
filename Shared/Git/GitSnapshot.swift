/// The Markdown of a repository at one commit.
package struct GitSnapshot: Sendable, Hashable {
    package struct Page: Sendable, Hashable, Codable {
        /// In the repository, with `/`.
        package let path: String
        package let content: String
    }

    package let commit: String
    package let pages: [Page]
    /// Markdown files over the size limit.
    package let oversized: [String]
}

/// What the child is asked, as JSON on its standard input.
package struct GitSnapshotRequest: Sendable, Codable {
    /// Without credentials.
    package let address: String
    package let credentials: GitCredentials?
    /// Where the clone is, or shall be. Absolute.
    package let path: String
    package let target: String
    package let certificateFile: String?
    package let limits: GitLimits

    package init(
        remote: GitRemoteURL, path: String, target: GitTarget, certificateFile: String?,
        limits: GitLimits
    ) {
        address = remote.address
        credentials = remote.credentials
        self.path = path
        self.target = target.name
        self.certificateFile = certificateFile
        self.limits = limits
    }
}

package struct GitLimits: Sendable, Codable {
    /// Of one page.
    package var pageByteCountMax = 1 << 20
    package var pageCountMax = 5_000
    /// Of all pages together: they are held in memory.
    package var contentByteCountMax = 32 << 20
    /// Received from the remote in one fetch.
    package var transferByteCountMax = 512 << 20

    package init() {}
}

/// One line of the child's answer.
enum GitSnapshotLine: Codable {
    case page(GitSnapshot.Page)
    case oversized(path: String)
    /// The last line, if all went well.
    case commit(String)
    /// The last line, if not.
    case failure(GitFailure)
}

/// Why there is no snapshot.
package enum GitFailure: Error, Sendable, Hashable, Codable {
    /// The remote does not answer, refuses, or breaks off.
    case unreachable
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
