import ChildProcess
import FoundationEssentials

/// A clone of one remote, worked on by a child process: libgit2 has no time-outs, so a remote that
/// accepts and stays silent would hold a thread for ever. A child can be killed.
package struct GitClone: Sendable {
    package let remote: GitRemoteURL
    /// Where the clone is. Absolute, without a slash at its end.
    package let path: String
    private let access: GitAccess
    private let allowsPrivate: Bool
    package let limits: GitLimits
    private let deadline: Duration
    private let certificateFile: String?
    private let executable: String
    private let arguments: [String]

    /// - Parameters:
    ///   - allowsPrivate: whether the remote may be a folder of this machine, or at an address that
    ///     only we can reach.
    ///   - executable: a program that passes its input to `GitSnapshotter.answer`: our own.
    ///   - arguments: what makes it do so.
    package init(
        of remote: GitRemoteURL, at path: String, access: GitAccess = .open,
        allowsPrivate: Bool = false, limits: GitLimits = GitLimits(), deadline: Duration,
        certificateFile: String? = nil, executable: String,
        arguments: [String] = ["git-snapshot"]
    ) {
        self.remote = remote
        var path = Self.absolute(path)
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.path = path
        // The child works in a folder of its own.
        self.access =
            if case .key(let file, let knownHosts) = access {
                .key(file: Self.absolute(file), knownHostsFile: Self.absolute(knownHosts))
            } else {
                access
            }
        self.allowsPrivate = allowsPrivate
        self.limits = limits
        self.deadline = deadline
        self.certificateFile = certificateFile
        self.executable = executable
        self.arguments = arguments
    }

    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    /// Fetches, checks the target out, and reads its pages.
    ///
    /// Throws `GitFailure`, or `CancellationError`; the child is gone in both cases.
    package func snapshot(of target: GitTarget) async throws -> GitSnapshot {
        guard allowsPrivate || remote.scheme == .https || remote.scheme == .ssh else {
            throw GitFailure.privateAddress
        }
        let request = GitSnapshotRequest(
            address: remote.address, access: access, allowsPrivate: allowsPrivate, path: path,
            target: target.name, certificateFile: certificateFile, limits: limits)
        let child = ChildProcess(
            executable: executable, arguments: arguments, limits: childLimits,
            input: .bytes(Array(try JSONEncoder().encode(request))),
            // JSON writes a byte as six at most, and pages come with their paths.
            outputByteCountMax: 6 * limits.contentByteCountMax + (8 << 20))
        let output: ChildProcess.Output
        do {
            output = try await child.run()
        } catch .timedOut {
            throw GitFailure.unreachable
        } catch {
            try Task.checkCancellation()
            throw GitFailure.broken("\(error)")
        }
        return try Self.snapshot(output.stdout)
    }

    /// The library maps packs into memory, so that address space is more than memory used; an object
    /// that becomes gigabytes ends the child, not us.
    private var childLimits: ChildProcess.Limits {
        ChildProcess.Limits(
            addressSpaceByteCount: 3 << 30, cpuSeconds: 120,
            fileByteCount: 2 * limits.repositoryByteCountMax, openFileCount: 512,
            wallTime: deadline)
    }

    private static func snapshot(_ output: [UInt8]) throws -> GitSnapshot {
        let decoder = JSONDecoder()
        var pages: [GitSnapshot.Page] = []
        var oversized: [String] = []
        var ambiguous: [String] = []
        for line in output.split(separator: UInt8(ascii: "\n")) {
            switch try decoder.decode(GitSnapshotLine.self, from: Data(line)) {
            case .page(let page): pages.append(page)
            case .oversized(let path): oversized.append(path)
            case .ambiguous(let path): ambiguous.append(path)
            case .commit(let commit):
                return GitSnapshot(
                    commit: commit, pages: pages, oversized: oversized, ambiguous: ambiguous)
            case .failure(let failure): throw failure
            }
        }
        throw GitFailure.broken("the child's answer has no end")
    }
}
