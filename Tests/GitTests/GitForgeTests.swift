import Foundation
import Git
import TestSupport
import Testing

/// Over TLS, through a proxy, with who is let in and who is not; and over ssh.
@Suite("A forge")
struct GitForgeTests {
    private func clone(
        _ url: String, _ remote: TestRemote, certificateFile: String? = nil,
        access: GitAccess = .open, allowsPrivate: Bool = true, limits: GitLimits = GitLimits(),
        deadline: Duration = .seconds(60), at place: String? = nil
    ) throws -> GitClone {
        GitClone(
            of: try GitRemoteURL(url), at: place ?? remote.clone, access: access,
            allowsPrivate: allowsPrivate, limits: limits, deadline: deadline,
            certificateFile: certificateFile,
            executable: try environment("TEST_BINARIES") + "/admin")
    }

    private func main() throws -> GitTarget { try #require(GitTarget("main")) }

    @Test("lets in who has its token, which stands nowhere and is given to no other host")
    func token() async throws {
        let remote = try TestRemote()
        try await GitForge.run(root: remote.folder) { forge in
            func clone(_ token: String, for host: String) throws -> GitClone {
                try self.clone(
                    forge.url("private"), remote, certificateFile: forge.certificateFile,
                    access: .token(user: "git", token: token, host: host))
            }
            let target = try main()
            for (token, host) in [
                ("wrong", "localhost:\(forge.port)"), (GitForge.token, "localhost"),
                (GitForge.token, "other.example"),
            ] {
                let refused = try clone(token, for: host)
                await #expect(throws: GitFailure.unreachable) {
                    try await refused.snapshot(of: target)
                }
            }
            let right = Data("git:\(GitForge.token)".utf8).base64EncodedString()
            #expect(try !forge.requests().contains { $0.contains(right) })
            let allowed = try clone(GitForge.token, for: "localhost:\(forge.port)")
            for _ in 0..<2 {
                #expect(try await allowed.snapshot(of: target).commit == (try remote.head()))
            }
            #expect(try forge.requests().contains { $0.contains("200 \"Basic \(right)\"") })
            let configuration = try String(
                contentsOfFile: remote.clone + "/.git/config", encoding: .utf8)
            #expect(!configuration.contains(GitForge.token) && !configuration.contains(right))
        }
    }

    @Test("is not followed to where it leads")
    func redirects() async throws {
        let remote = try TestRemote()
        try await GitForge.run(root: remote.folder) { forge in
            let target = try main()
            let moved = try clone(
                forge.url("moved"), remote, certificateFile: forge.certificateFile)
            await #expect(throws: GitFailure.unreachable) { try await moved.snapshot(of: target) }
            #expect(try forge.requests().allSatisfy { !$0.hasPrefix("/open") })
        }
    }

    @Test("with a certificate that nobody vouches for is not asked anything")
    func untrusted() async throws {
        let remote = try TestRemote()
        try await GitForge.run(root: remote.folder) { forge in
            let target = try main()
            let clone = try clone(forge.url("open"), remote)
            await #expect(throws: GitFailure.unreachable) { try await clone.snapshot(of: target) }
            #expect(try forge.requests().isEmpty)
        }
    }

    @Test("at a private address is asked only if that is allowed, by whatever name it goes")
    func privateAddress() async throws {
        let remote = try TestRemote()
        try await GitForge.run(root: remote.folder) { forge in
            let target = try main()
            for url in [
                forge.url("open"), "https://127.0.0.1:\(forge.port)/open/remote.git",
                "https://[::1]:\(forge.port)/open/remote.git",
                "https://2130706433:\(forge.port)/open/remote.git",
                "ssh://git@localhost:\(forge.port)/remote.git", "file://" + remote.bare,
                remote.bare,
                "http://1.1.1.1/x.git",
            ] {
                let clone = try clone(url, remote, allowsPrivate: false)
                await #expect(throws: GitFailure.privateAddress, "\(url)") {
                    try await clone.snapshot(of: target)
                }
            }
            #expect(try forge.requests().isEmpty)
            #expect(!FileManager.default.fileExists(atPath: remote.clone))
        }
    }

    @Test("that is slow or huge is given up, and the clone stays as it was")
    func slowAndHuge() async throws {
        let remote = try TestRemote()
        try await GitForge.run(root: remote.folder) { forge in
            let target = try main()
            let certificate = forge.certificateFile
            let old = try await clone(forge.url("open"), remote, certificateFile: certificate)
                .snapshot(of: target)
            let words = (0..<40_000).map { _ in String(UInt32.random(in: 0...UInt32.max), radix: 36)
            }
            try remote.write("# Long\n\n\(words.joined(separator: " "))\n", to: "long.md")
            try remote.publish("Long")
            var limits = GitLimits()
            limits.repositoryByteCountMax = 100_000
            let huge = try clone(
                forge.url("open"), remote, certificateFile: certificate, limits: limits)
            await #expect(throws: GitFailure.tooLarge("transfer")) {
                try await huge.snapshot(of: target)
            }
            #expect(try remote.git("rev-parse", "HEAD", in: remote.clone) == old.commit)
            let slow = try clone(
                forge.url("slow"), remote, certificateFile: certificate, deadline: .seconds(3))
            await #expect(throws: GitFailure.unreachable) { try await slow.snapshot(of: target) }
            let new = try await clone(forge.url("open"), remote, certificateFile: certificate)
                .snapshot(of: target)
            #expect(new.commit == (try remote.head()))
        }
    }

    @Test("serves several clones at once")
    func several() async throws {
        let remote = try TestRemote()
        try await GitForge.run(root: remote.folder) { forge in
            let target = try main()
            let clones = try (0..<3).map {
                try clone(
                    forge.url("open"), remote, certificateFile: forge.certificateFile,
                    at: "\(remote.folder)/clone-\($0)")
            }
            try await withThrowingTaskGroup(of: String.self) { group in
                for clone in clones {
                    group.addTask { try await clone.snapshot(of: target).commit }
                }
                for try await commit in group { #expect(commit == (try remote.head())) }
            }
        }
    }

    @Test("over ssh lets in who has a key, if its own is known")
    func keys() async throws {
        let remote = try TestRemote()
        try await GitKeyServer.run(root: remote.folder) { server in
            let target = try main()
            func clone(_ key: String, _ hosts: String) throws -> GitClone {
                try self.clone(
                    server.url("remote.git"), remote,
                    access: .key(file: key, knownHostsFile: hosts))
            }
            for refused in [
                try clone(server.strangersKey, server.knownHosts),
                try clone(server.key, server.wrongKnownHosts),
                try clone(server.key, "/dev/null"), try clone("/dev/null", server.knownHosts),
            ] {
                await #expect(throws: GitFailure.unreachable) {
                    try await refused.snapshot(of: target)
                }
            }
            let allowed = try clone(server.key, server.knownHosts)
            #expect(try await allowed.snapshot(of: target).commit == (try remote.head()))
            try remote.write("# More\n\nMore.\n", to: "more.md")
            let head = try remote.publish("More")
            #expect(try await allowed.snapshot(of: target).commit == head)
            let left = try FileManager.default.contentsOfDirectory(atPath: remote.folder)
            #expect(left.filter { $0.hasPrefix("clone") } == ["clone"])
        }
    }
}
