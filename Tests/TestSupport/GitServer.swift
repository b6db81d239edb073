internal import Foundation
internal import Glibc

/// A remote over git's smart HTTP, served by git itself, that can be told what goes wrong.
package final class GitServer: Sendable {
    package let url: String
    private let faultFile: String

    /// What the remote does instead of answering; `Tests/LocalStack/git_server/faults.py` says each
    /// at length.
    package enum Fault: String, Sendable, CaseIterable {
        case silence, redirect, page, refuse, cut, garble
        case cutUnseen = "cut-unseen"
        case silenceInPack = "silence-in-pack"

        /// Ended by our deadline, not by the remote.
        package var isSilent: Bool { self == .silence || self == .silenceInPack }
    }

    /// Serves the repositories below a folder while `body` runs.
    package static func run<Value>(
        root: String, _ body: (GitServer) async throws -> Value
    ) async throws -> Value {
        let port = try freePort()
        let server = GitServer(
            url: "http://127.0.0.1:\(port)", faultFile: "\(root)/fault-\(UUID().uuidString)")
        let process = try server.start(root: root, port: port)
        defer { kill(process.processIdentifier, SIGKILL) }
        try await eventually(within: .seconds(30)) { !isFree(port) }
        return try await body(server)
    }

    private init(url: String, faultFile: String) {
        self.url = url
        self.faultFile = faultFile
    }

    /// From now on; nil is none.
    package func fail(_ fault: Fault?) throws {
        try Data((fault?.rawValue ?? "").utf8).write(to: URL(filePath: faultFile))
    }

    private func start(root: String, port: Int) throws -> Process {
        let repository = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().path
        let process = Process()
        process.executableURL = URL(filePath: repository + "/.local/venv/bin/python")
        process.arguments = [
            "-m", "git_server", "--root", root, "--port", String(port), "--fault-file", faultFile,
        ]
        process.environment = [
            "PATH": "/usr/bin:/bin", "PYTHONPATH": repository + "/Tests/LocalStack",
            "PYTHONDONTWRITEBYTECODE": "1",
        ]
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return process
    }
}
