internal import Foundation
internal import Glibc

/// Git over ssh, for whoever has one of the server's keys.
package struct GitKeyServer: Sendable {
    package let port: Int
    /// A private key that is let in, and one that is not.
    package let key: String
    package let strangersKey: String
    /// Names the server's key, and a file that names another for the same server.
    package let knownHosts: String
    package let wrongKnownHosts: String

    package func url(_ path: String) -> String { "ssh://git@localhost:\(port)/\(path)" }

    package static func run<Value>(
        root: String, _ body: (GitKeyServer) async throws -> Value
    ) async throws -> Value {
        let folder = "\(root)/keys-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let port = try freePort()
        for name in ["host", "other-host", "client", "stranger"] {
            let make = try launch(
                "/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", "\(folder)/\(name)"])
            make.waitUntilExit()
        }
        for (hosts, key) in [("known", "host"), ("wrong", "other-host")] {
            let line = try String(contentsOfFile: "\(folder)/\(key).pub", encoding: .utf8)
            try Data("[localhost]:\(port) \(line)".utf8).write(
                to: URL(filePath: "\(folder)/\(hosts)"))
        }
        let server = try launch(
            repositoryFolder + "/.local/venv/bin/python",
            [
                "-m", "git_server.ssh", "--root", root, "--port", String(port),
                "--host-key", "\(folder)/host", "--authorized-keys", "\(folder)/client.pub",
            ], in: repositoryFolder + "/Tests/LocalStack")
        defer { kill(server.processIdentifier, SIGKILL) }
        try await eventually(within: .seconds(30)) { !isFree(port) }
        return try await body(
            GitKeyServer(
                port: port, key: "\(folder)/client", strangersKey: "\(folder)/stranger",
                knownHosts: "\(folder)/known", wrongKnownHosts: "\(folder)/wrong"))
    }

    private static var repositoryFolder: String {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
    }
}
