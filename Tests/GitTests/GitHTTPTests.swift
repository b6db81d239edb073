import Foundation
import Git
import TestSupport
import Testing

/// Against git's own server, as a forge runs it.
@Suite("A remote over HTTP")
struct GitHTTPTests {
    private func clone(
        _ remote: TestRemote, from server: GitServer, deadline: Duration = .seconds(60)
    ) throws -> GitClone {
        GitClone(
            of: try GitRemoteURL(server.url + "/remote.git"), at: remote.clone,
            allowsPrivate: true, deadline: deadline,
            executable: try environment("TEST_BINARIES") + "/admin")
    }

    private func main() throws -> GitTarget { try #require(GitTarget("origin/main")) }

    @Test("is cloned, followed, and followed through a rewritten history")
    func follows() async throws {
        let remote = try TestRemote()
        try await GitServer.run(root: remote.folder) { server in
            let clone = try clone(remote, from: server)
            let first = try await clone.snapshot(of: try main())
            #expect(first.commit == (try remote.head()))
            #expect(first.pages.map(\.path) == ["en/tariff.md", "it/contatori.markdown"])
            #expect(try await clone.snapshot(of: try main()) == first)
            try remote.write("# Batteries\n\nTen kWh.\n", to: "en/batteries.md")
            let head = try remote.publish("More")
            let second = try await clone.snapshot(of: try main())
            #expect(second.commit == head && second.pages.count == 3)
            try remote.git(
                "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--quiet",
                "--amend", "--message", "Other", in: remote.author)
            try remote.git("push", "--quiet", "--force", "origin", "main", in: remote.author)
            let third = try await clone.snapshot(of: try main())
            #expect(third.commit == (try remote.head()))
            #expect(third.pages == second.pages)
        }
    }

    @Test(
        "that fails on the first clone leaves nothing behind", arguments: GitServer.Fault.allCases)
    func cloneFails(_ fault: GitServer.Fault) async throws {
        let remote = try TestRemote()
        try await fill(remote)
        try await GitServer.run(root: remote.folder) { server in
            try server.fail(fault)
            try await expectUnreachable(remote, server, fault)
            let left = try FileManager.default.contentsOfDirectory(atPath: remote.folder)
            #expect(!left.contains("clone"))
            try server.fail(nil)
            let found = try await clone(remote, from: server).snapshot(of: try main())
            #expect(found.commit == (try remote.head()))
        }
    }

    @Test("that fails on a refresh leaves the clone as it was", arguments: GitServer.Fault.allCases)
    func refreshFails(_ fault: GitServer.Fault) async throws {
        let remote = try TestRemote()
        try await GitServer.run(root: remote.folder) { server in
            let old = try await clone(remote, from: server).snapshot(of: try main())
            try await fill(remote)
            try server.fail(fault)
            try await expectUnreachable(remote, server, fault)
            #expect(try remote.git("rev-parse", "HEAD", in: remote.clone) == old.commit)
            #expect(
                try remote.git("rev-parse", "refs/remotes/origin/main", in: remote.clone)
                    == old.commit)
            #expect(try remote.git("status", "--porcelain", in: remote.clone).isEmpty)
            try server.fail(nil)
            let found = try await clone(remote, from: server).snapshot(of: try main())
            #expect(found.commit == (try remote.head()))
            #expect(found.pages.count == 42)
        }
    }

    private func expectUnreachable(
        _ remote: TestRemote, _ server: GitServer, _ fault: GitServer.Fault
    ) async throws {
        let clone = try clone(
            remote, from: server, deadline: fault.isSilent ? .seconds(2) : .seconds(60))
        let target = try main()
        await #expect(throws: GitFailure.unreachable) { try await clone.snapshot(of: target) }
    }

    /// Enough that the pack comes in many pieces: text that does not compress well.
    private func fill(_ remote: TestRemote) async throws {
        for number in 0..<40 {
            let words = (0..<2000).map { _ in String(UInt32.random(in: 0...UInt32.max), radix: 36) }
            try remote.write(
                "# Page \(number)\n\n\(words.joined(separator: " "))\n", to: "many/\(number).md")
        }
        try remote.publish("Many")
    }
}
