internal import Foundation
internal import Glibc

/// A forge as it stands in a company: nginx with TLS before git's own backend. Below `/open/` everybody
/// may read, below `/private/` who has the token; `/slow/` gives a kilobyte a second, and `/moved/`
/// leads to `/open/`.
package final class GitForge: Sendable {
    package let port: Int
    /// What a client trusts.
    package let certificateFile: String
    private let accessLog: String

    package static let token = "a-token-of-the-forge"

    package func url(_ kind: String) -> String { "https://localhost:\(port)/\(kind)/remote.git" }

    /// One line for each request: path, status, and what it brought to be let in.
    package func requests() throws -> [String] {
        try String(contentsOf: URL(filePath: accessLog), encoding: .utf8)
            .split(separator: "\n").map(String.init)
    }

    package static func run<Value>(
        root: String, _ body: (GitForge) async throws -> Value
    ) async throws -> Value {
        try await GitServer.run(root: root) { git in
            let folder = "\(root)/forge-\(UUID().uuidString)"
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
            let certificates = try TestCertificates(in: folder, named: "authority") {
                try launch($0, $1).waitUntilExit()
            }
            let server = try certificates.server(hostName: "localhost")
            let port = try freePort()
            let forge = GitForge(
                port: port, certificateFile: certificates.authority,
                accessLog: "\(folder)/access.log")
            try Data("git:{PLAIN}\(token)\n".utf8).write(to: URL(filePath: "\(folder)/users"))
            let configuration = "\(folder)/nginx.conf"
            try Data(Self.configuration(folder, port, git.url, server).utf8).write(
                to: URL(filePath: configuration))
            let nginx = try launch(
                "/usr/sbin/nginx", ["-c", configuration, "-e", "\(folder)/error.log"])
            defer { kill(nginx.processIdentifier, SIGTERM) }
            try await eventually(within: .seconds(30)) { !isFree(port) }
            return try await body(forge)
        }
    }

    private init(port: Int, certificateFile: String, accessLog: String) {
        self.port = port
        self.certificateFile = certificateFile
        self.accessLog = accessLog
    }

    private static func configuration(
        _ folder: String, _ port: Int, _ git: String, _ server: TestCertificates.Server
    ) -> String {
        let own = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "\($0)_temp_path \(folder)/\($0);" }.joined(separator: " ")
        return """
            daemon off; worker_processes 1; pid \(folder)/nginx.pid; user root;
            events { worker_connections 256; }
            http {
              log_format asked '$uri $status "$http_authorization"';
              access_log \(folder)/access.log asked;
              \(own)
              server {
                listen 127.0.0.1:\(port) ssl; server_name localhost;
                ssl_certificate \(server.certificate); ssl_certificate_key \(server.key);
                location /open/ { proxy_pass \(git)/; }
                location /slow/ { proxy_pass \(git)/; limit_rate 1k; }
                location /moved/ { rewrite ^/moved/(.*)$ /open/$1 redirect; }
                location /private/ {
                  auth_basic git; auth_basic_user_file \(folder)/users; proxy_pass \(git)/;
                }
              }
            }
            """
    }
}

/// A program of the machine, with nothing of our environment but where programs are.
func launch(_ executable: String, _ arguments: [String], in folder: String? = nil) throws -> Process
{
    let process = Process()
    process.executableURL = URL(filePath: executable)
    process.arguments = arguments
    process.environment = ["PATH": "/usr/bin:/bin"]
    if let folder { process.currentDirectoryURL = URL(filePath: folder) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
}
