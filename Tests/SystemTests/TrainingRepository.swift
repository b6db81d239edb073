import Foundation
import TestSupport

/// A git repository with the sample pages, to be edited as an author would.
struct TrainingRepository: Sendable {
    let path: String

    init(in path: String) throws {
        self.path = path
        let pages = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Fixtures/training-materials").path
        try FileManager.default.copyItem(atPath: pages, toPath: path)
        try git("init", "--quiet", "--initial-branch=main")
        try commit("Begin")
    }

    func write(_ text: String, to page: String) throws {
        try text.write(toFile: "\(path)/\(page)", atomically: true, encoding: .utf8)
    }

    func read(_ page: String) throws -> String {
        try String(contentsOfFile: "\(path)/\(page)", encoding: .utf8)
    }

    func remove(_ page: String) throws {
        try FileManager.default.removeItem(atPath: "\(path)/\(page)")
    }

    func commit(_ subject: String) throws {
        try git("add", "--all")
        try git(
            "-c", "user.name=Author", "-c", "user.email=author@example.org", "commit", "--quiet",
            "--allow-empty", "--message", subject)
    }

    private func git(_ arguments: String...) throws {
        try runToEnd("/usr/bin/git", arguments, in: path)
    }
}
