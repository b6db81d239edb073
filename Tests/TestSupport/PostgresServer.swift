internal import Foundation

/// A Postgres of one test's own, to be stopped and started while others go on using the shared one.
package final class PostgresServer: Sendable {
    package let port: Int
    /// Its superuser, trusted without a password.
    package static let user = "celine"
    /// Readable by the server; gone with it.
    package let folder: String
    private let binaries: String

    /// How `pg_ctl` ends a server: what it does with those who are connected.
    package enum Stop: String, Sendable, CaseIterable {
        /// Ends their sessions, rolls back what they were at, and writes all out.
        case fast
        /// Ends at once, as if it had crashed: the next start recovers from the log.
        case immediate
    }

    /// The maintenance database's address, to be changed for others.
    package var url: String { url(database: "postgres") }

    package func url(database: String, host: String = "127.0.0.1", query: String = "") -> String {
        "postgresql://\(Self.user)@\(host):\(port)/\(database)\(query)"
    }

    fileprivate init() async throws {
        port = try freePort()
        folder = NSTemporaryDirectory() + "celine-postgres-\(UUID().uuidString.lowercased())"
        binaries = try Self.findBinaries()
        try await runAsServer("/usr/bin/mkdir", ["--mode=700", folder])
        try await runAsServer(
            binaries + "/initdb",
            [
                "--pgdata", folder + "/data", "--username", Self.user, "--auth", "trust",
                "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync",
            ])
    }

    /// Returns when it accepts connections.
    ///
    /// - Parameter settings: beside our own; for TLS, say.
    package func start(_ settings: [String: String] = [:]) async throws {
        let all = settings.merging([
            "port": String(port), "listen_addresses": "127.0.0.1", "unix_socket_directories": "",
            // A process that ends loses nothing that the kernel has taken.
            "fsync": "off", "max_connections": "200",
        ]) { $1 }
        let options = all.sorted { $0.key < $1.key }.flatMap { ["-c", "\($0)=\($1)"] }
        // Not by `pg_ctl`, whose server would inherit what tells `Process` that its child ended.
        let (executable, arguments) = asServer(
            binaries + "/postgres", ["-D", folder + "/data"] + options)
        let process = Process()
        process.executableURL = URL(filePath: executable)
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: "/")
        process.standardInput = FileHandle.nullDevice
        let log = try log()
        process.standardOutput = log
        process.standardError = log
        try process.run()
        try await eventually(within: .seconds(60)) {
            guard process.isRunning else {
                let printed = try String(contentsOfFile: folder + "/log", encoding: .utf8)
                throw CommandFailure(command: "postgres", printed: printed)
            }
            // Not yet is one of the answers we wait out.
            return
                (try? await runToEnd(
                    binaries + "/pg_isready", ["--host", "127.0.0.1", "--port", String(port)]))
                != nil
        }
    }

    /// Returns when it has ended.
    package func stop(_ how: Stop) async throws {
        try await runAsServer(binaries + "/pg_ctl", stopping(how))
    }

    private func stopping(_ how: Stop) -> [String] {
        [
            "stop", "--mode", how.rawValue, "--pgdata", folder + "/data", "--wait", "--timeout",
            "60", "--silent",
        ]
    }

    fileprivate func remove() {
        // It may not be running.
        try? runAsServer(binaries + "/pg_ctl", stopping(.immediate))
        // Else it stays in the folder for temporary files.
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Runs a command as the user that the server runs as.
    package func runAsServer(_ executable: String, _ arguments: [String]) throws {
        let (executable, arguments) = asServer(executable, arguments)
        try runToEnd(executable, arguments, in: "/")
    }

    /// The same, while other tasks go on.
    private func runAsServer(_ executable: String, _ arguments: [String]) async throws {
        let (executable, arguments) = asServer(executable, arguments)
        try await runToEnd(executable, arguments, in: "/")
    }

    /// The server refuses to be root; Debian's package brings a user.
    private func asServer(
        _ executable: String, _ arguments: [String]
    ) -> (executable: String, arguments: [String]) {
        guard geteuid() == 0 else { return (executable, arguments) }
        let user = ["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
        return ("/usr/bin/setpriv", user + [executable] + arguments)
    }

    private func log() throws -> FileHandle {
        let file = folder + "/log"
        if !FileManager.default.fileExists(atPath: file) {
            try Data().write(to: URL(filePath: file))
        }
        let handle = try FileHandle(forWritingTo: URL(filePath: file))
        try handle.seekToEnd()
        return handle
    }

    private static func findBinaries() throws -> String {
        let root = "/usr/lib/postgresql"
        let versions = try FileManager.default.contentsOfDirectory(atPath: root).compactMap(
            Int.init)
        guard let newest = versions.max() else {
            throw CommandFailure(command: "initdb", printed: "Postgres is not installed")
        }
        return "\(root)/\(newest)/bin"
    }
}

/// Runs `body` with a server that has not been started, and leaves nothing of it.
package func withPostgresServer<Value>(
    _ body: (PostgresServer) async throws -> Value
) async throws -> Value {
    let server = try await PostgresServer()
    defer { server.remove() }
    return try await body(server)
}
