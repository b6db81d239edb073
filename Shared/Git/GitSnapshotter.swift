import CLibGit2
package import FoundationEssentials
import Glibc

/// The child's work: brings the clone to the target and reads its pages.
///
/// It may be killed at any moment. So a new clone is made beside its place and then moved there,
/// and a mark says that refs and files are being changed: a clone found with it is made anew.
/// Another mark says that the clone is ours: without it, a repository of another remote is
/// somebody's work, and stays.
package struct GitSnapshotter {
    private let request: GitSnapshotRequest
    private let remote: GitRemoteURL
    private let files = FileManager.default

    init(_ request: GitSnapshotRequest) throws {
        self.request = request
        do { remote = try GitRemoteURL(request.address) } catch {
            throw GitFailure.broken("the address is none")
        }
    }

    /// Reads a request from `input` and gives every line of the answer to `write`.
    package static func answer(_ input: Data, write: (Data) throws -> Void) throws {
        let encoder = JSONEncoder()
        func send(_ line: GitSnapshotLine) throws {
            try write(encoder.encode(line) + [UInt8(ascii: "\n")])
        }
        do {
            let request = try JSONDecoder().decode(GitSnapshotRequest.self, from: input)
            try GitSnapshotter(request).run(send)
        } catch let failure as GitFailure {
            try send(.failure(failure))
        } catch let error as LibGit2Error {
            try send(.failure(.broken(error.message)))
        }
    }

    func run(_ send: (GitSnapshotLine) throws -> Void) throws {
        guard let target = GitTarget(request.target) else { throw GitFailure.unknownTarget }
        try removeLeftovers()
        try LibGit2.start(home: try homeFolder())
        defer { git_libgit2_shutdown() }
        let commit = try isOurClone() ? refresh(to: target) : clone(target)
        try GitRepository(opening: request.path).forEachPage(
            of: commit, limits: request.limits, rulesFolder: request.path + Self.rulesSuffix, send)
        try removeLeftovers()
        try send(.commit(commit))
    }

    /// False when there is none, or one that has to be made anew.
    private func isOurClone() throws -> Bool {
        var isFolder = false
        guard files.fileExists(atPath: request.path, isDirectory: &isFolder) else { return false }
        guard isFolder else { throw GitFailure.notARepository }
        if try files.contentsOfDirectory(atPath: request.path).isEmpty { return false }
        var hasFolder = false
        guard isOwnedByUs(),
            files.fileExists(atPath: request.path + "/.git", isDirectory: &hasFolder), hasFolder
        else { throw GitFailure.notARepository }
        if files.fileExists(atPath: request.path + Self.refreshingMark) { return false }
        return try notARepository { () throws(LibGit2Error) in
            try GitRepository(opening: request.path)
        } then: { repository in
            let isSameOrigin = repository.findOrigin() == request.address
            let isMarked = files.fileExists(atPath: request.path + Self.cloneMark)
            // It would be replaced, and with it what was never pushed.
            guard !repository.isBare, isSameOrigin || isMarked else {
                throw GitFailure.notARepository
            }
            try repository.disableConversions()
            guard try !repository.hasLocalChanges() else { throw GitFailure.localChanges }
            // Clones of earlier versions have no mark.
            if !isMarked { try mark(request.path, Self.cloneMark) }
            return try isSameOrigin && isSmall()
        }
    }

    private func notARepository(
        _ open: () throws(LibGit2Error) -> GitRepository,
        then body: (borrowing GitRepository) throws -> Bool
    ) throws -> Bool {
        let repository: GitRepository
        do { repository = try open() } catch { throw GitFailure.notARepository }
        return try body(repository)
    }

    private func refresh(to target: GitTarget) throws -> String {
        let repository = try GitRepository(opening: request.path)
        let remote = try download(into: repository)
        try mark(request.path, Self.refreshingMark)
        try remote.updateReferences()
        let commit: String
        do {
            commit = try find(target, in: repository)
            try repository.requireSize(of: commit, within: request.limits)
        } catch {
            // Nothing but refs has changed, and all of them: the clone is whole.
            try files.removeItem(atPath: request.path + Self.refreshingMark)
            throw error
        }
        try repository.checkOut(commit)
        try files.removeItem(atPath: request.path + Self.refreshingMark)
        return commit
    }

    private func clone(_ target: GitTarget) throws -> String {
        let place = request.path + Self.temporarySuffix
        let replaced = request.path + Self.replacedSuffix
        let isReplacing = files.fileExists(atPath: request.path)
        // One of ours would be gone by now.
        if isReplacing, files.fileExists(atPath: replaced) { throw GitFailure.notARepository }
        try files.createDirectory(
            atPath: URL(filePath: request.path).deletingLastPathComponent().path(),
            withIntermediateDirectories: true)
        var isInPlace = false
        defer {
            // What cannot be removed now is removed by the next run.
            if !isInPlace { try? files.removeItem(atPath: place) }
        }
        let commit: String
        do {
            let repository = try GitRepository(making: place)
            try mark(place, Self.cloneMark)
            try repository.disableConversions()
            try repository.setOrigin(request.address)
            try download(into: repository).updateReferences()
            commit = try find(target, in: repository)
            try repository.requireSize(of: commit, within: request.limits)
            try repository.checkOut(commit)
        }
        if isReplacing { try files.moveItem(atPath: request.path, toPath: replaced) }
        try files.moveItem(atPath: place, toPath: request.path)
        isInPlace = true
        try removeLeftovers()
        return commit
    }

    private func download(into repository: borrowing GitRepository) throws -> GitRemote {
        let transfer = GitTransfer(remote, request)
        try transfer.requirePublicName()
        do {
            return try repository.download(transfer)
        } catch {
            if transfer.isPrivate { throw GitFailure.privateAddress }
            throw transfer.isTooLarge ? GitFailure.tooLarge("transfer") : GitFailure.unreachable
        }
    }

    private func find(
        _ target: GitTarget, in repository: borrowing GitRepository
    ) throws -> String {
        do {
            return try repository.commit(target)
        } catch {
            throw GitFailure.unknownTarget
        }
    }

    private static let temporarySuffix = ".cloning"
    private static let replacedSuffix = ".replaced"
    private static let rulesSuffix = ".rules"
    private static let homeSuffix = ".home"
    private static let cloneMark = "/.git/celine-clone"
    private static let refreshingMark = "/.git/celine-refreshing"

    private func mark(_ folder: String, _ mark: String) throws {
        try Data().write(to: URL(filePath: folder + mark))
    }

    /// Whether nobody misses the folder: it was made by us, or is empty.
    private func isOurs(_ folder: String) -> Bool {
        // What cannot be listed is none of ours.
        let isEmpty = (try? files.contentsOfDirectory(atPath: folder).isEmpty) == true
        return isEmpty || files.fileExists(atPath: folder + Self.cloneMark)
            || files.fileExists(atPath: folder + Self.refreshingMark)
    }

    /// Of a run that was killed. Between the two moves of a replacement the old clone is put back.
    private func removeLeftovers() throws {
        let replaced = request.path + Self.replacedSuffix
        if files.fileExists(atPath: replaced), isOurs(replaced) {
            if files.fileExists(atPath: request.path) {
                try files.removeItem(atPath: replaced)
            } else {
                try files.moveItem(atPath: replaced, toPath: request.path)
            }
        }
        for suffix in [Self.temporarySuffix, Self.rulesSuffix, Self.homeSuffix] {
            let place = request.path + suffix
            if files.fileExists(atPath: place) { try files.removeItem(atPath: place) }
        }
    }

    /// What is fetched stays, also what no branch holds any more: a clone that has come to hold too
    /// much of it is made anew.
    private func isSmall() throws -> Bool {
        let folder = request.path + "/.git/objects/pack"
        let byteCount = try files.contentsOfDirectory(atPath: folder).reduce(0) { sum, name in
            let size = try files.attributesOfItem(atPath: "\(folder)/\(name)")[.size] as? UInt64
            return sum + Int(size ?? 0)
        }
        return byteCount <= 2 * request.limits.repositoryByteCountMax
    }

    /// A home of ours, where libgit2 finds which hosts' keys are known; nil when it needs none.
    private func homeFolder() throws -> String? {
        guard case .key(_, let knownHostsFile) = request.access else { return nil }
        let home = request.path + Self.homeSuffix
        try files.createDirectory(atPath: home + "/.ssh", withIntermediateDirectories: true)
        try files.createSymbolicLink(
            atPath: home + "/.ssh/known_hosts", withDestinationPath: knownHostsFile)
        return home
    }

    /// A repository's own configuration is obeyed, so it must be ours or the system's.
    private func isOwnedByUs() -> Bool {
        // Without attributes it is not ours.
        let owner = try? files.attributesOfItem(atPath: request.path)[.ownerAccountID] as? UInt32
        return owner == geteuid() || owner == 0
    }
}
