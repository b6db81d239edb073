internal import Foundation

/// A bare repository, an author's working copy of it, and room for our clone.
package final class TestRemote: Sendable {
    package let folder: String
    package var bare: String { folder + "/remote.git" }
    package var author: String { folder + "/author" }
    package var clone: String { folder + "/clone" }

    package init() throws {
        folder = NSTemporaryDirectory() + "git-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        try git("init", "--quiet", "--bare", "--initial-branch=main", bare, in: folder)
        try git("clone", "--quiet", bare, author, in: folder)
        try git("checkout", "--quiet", "-b", "main", in: author)
        try write("# Tariff\n\nThe incentive is paid monthly.\n", to: "en/tariff.md")
        try write("# Contatori\n\nIl contatore è gratuito.\n", to: "it/contatori.markdown")
        try write("not a page", to: "notes.txt")
        try publish("Begin")
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    package func write(_ text: String, to path: String) throws {
        let url = URL(filePath: author).appending(path: path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    @discardableResult
    package func publish(_ subject: String) throws -> String {
        try git("add", "--all", in: author)
        try git(
            "-c", "user.name=Author", "-c", "user.email=a@example.org", "commit", "--quiet",
            "--message", subject, in: author)
        try git("push", "--quiet", "origin", "HEAD", in: author)
        return try head()
    }

    package func head() throws -> String { try git("rev-parse", "HEAD", in: author) }

    @discardableResult
    package func git(_ arguments: String..., in folder: String) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/git")
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: folder)
        process.environment = ["GIT_CONFIG_NOSYSTEM": "1", "HOME": folder, "PATH": "/usr/bin:/bin"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(arguments: arguments) }
        return String(decoding: bytes, as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    package struct Failure: Error { let arguments: [String] }
}
