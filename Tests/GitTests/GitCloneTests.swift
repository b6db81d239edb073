import Foundation
import Git
import NIOCore
import NIOPosix
import TestSupport
import Testing

@Suite("A clone in a child process")
struct GitCloneTests {
    private func clone(
        _ remote: TestRemote, url: String? = nil, deadline: Duration = .seconds(30)
    ) throws -> GitClone {
        GitClone(
            of: try GitRemoteURL(url ?? remote.bare), at: remote.clone, allowsPrivate: true,
            deadline: deadline, executable: try environment("TEST_BINARIES") + "/admin")
    }

    private let main = GitTarget("origin/main")

    @Test("gives the pages of the remote")
    func pages() async throws {
        let remote = try TestRemote()
        let found = try await clone(remote).snapshot(of: try #require(main))
        #expect(found.commit == (try remote.head()))
        #expect(found.pages.map(\.path) == ["en/tariff.md", "it/contatori.markdown"])
    }

    @Test("passes the child's refusals on")
    func refusals() async throws {
        let remote = try TestRemote()
        let clone = try clone(remote)
        let none = try #require(GitTarget("origin/none"))
        await #expect(throws: GitFailure.unknownTarget) { try await clone.snapshot(of: none) }
    }

    @Test("gives a remote up that accepts and never answers, within the deadline")
    func silence() async throws {
        let remote = try TestRemote()
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0) { $0.eventLoop.makeSucceededVoidFuture() }
        let port = try #require(server.channel.localAddress?.port)
        let clone = try clone(
            remote, url: "http://127.0.0.1:\(port)/x.git", deadline: .seconds(2))
        let target = try #require(main)
        await #expect(throws: GitFailure.unreachable) {
            try await within(.seconds(60)) { try await clone.snapshot(of: target) }
        }
        #expect(!FileManager.default.fileExists(atPath: remote.clone))
        try await server.channel.close()
        #expect(try await self.clone(remote).snapshot(of: target).pages.count == 2)
    }

    @Test(
        "on a disk that is full stays at what it had, and goes on when there is room",
        .enabled(if: SmallDisk.isPossible))
    func fullDisk() async throws {
        let (remote, disk) = (try TestRemote(), try SmallDisk(megabytes: 4))
        let clone = GitClone(
            of: try GitRemoteURL(remote.bare), at: disk.path + "/clone", allowsPrivate: true,
            deadline: .seconds(30), executable: try environment("TEST_BINARIES") + "/admin")
        let target = try #require(main)
        let before = try await clone.snapshot(of: target)
        let page = (0..<20_000).map { _ in String(Int.random(in: 0...9)) }.joined()
        try remote.write("# Large\n\n\(page)\n", to: "en/large.md")
        let commit = try remote.publish("Large")
        try disk.fill()
        await #expect(throws: GitFailure.self) { try await clone.snapshot(of: target) }
        let head = try remote.git("rev-parse", "HEAD", in: clone.path)
        #expect(head == before.commit)
        #expect(!FileManager.default.fileExists(atPath: clone.path + "/en/large.md"))
        try disk.makeRoom()
        let after = try await clone.snapshot(of: target)
        #expect(after.commit == commit && after.pages.count == 3)
    }
}
