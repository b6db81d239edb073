import CLibGit2
import FoundationEssentials

/// Rules of gitignore(5) that are no repository's own: asked of an empty one, made for them, so that
/// no `.gitignore` says anything.
final class GitIgnoreRules {
    /// In the root of the materials.
    static let fileName = ".assistantignore"
    static let byteCountMax = 64 << 10

    private let repository: GitRepository
    private let folder: String

    /// - Parameter folder: for the empty repository; nothing is there yet.
    init(_ text: String, at folder: String) throws {
        repository = try GitRepository(making: folder)
        self.folder = folder
        try repository.ignore(text)
    }

    deinit {
        // What is left is removed by the next run.
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// A folder's path ends with a slash.
    func name(_ path: String) throws(LibGit2Error) -> Bool { try repository.isIgnored(path) }
}
