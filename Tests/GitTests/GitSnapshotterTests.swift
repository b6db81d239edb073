import Foundation
import TestSupport
import Testing

@testable import Git

@Suite("Snapshots of a repository")
struct GitSnapshotterTests {
    private func snapshot(
        _ remote: TestRemote, _ target: String = "origin/main", url: String? = nil,
        limits: GitLimits = GitLimits()
    ) throws -> GitSnapshot {
        let request = GitSnapshotRequest(
            address: url ?? remote.bare, access: .open, allowsPrivate: true, path: remote.clone,
            target: target, certificateFile: nil, limits: limits)
        var pages: [GitSnapshot.Page] = []
        var oversized: [String] = []
        var commit = ""
        try GitSnapshotter(request).run { line in
            switch line {
            case .page(let page): pages.append(page)
            case .oversized(let path): oversized.append(path)
            case .ambiguous: break
            case .commit(let id): commit = id
            case .failure(let failure): throw failure
            }
        }
        return GitSnapshot(commit: commit, pages: pages, oversized: oversized)
    }

    @Test("clones, and reads the Markdown of the branch alone")
    func clones() throws {
        let remote = try TestRemote()
        let found = try snapshot(remote)
        #expect(found.commit == (try remote.head()))
        #expect(found.pages.map(\.path) == ["en/tariff.md", "it/contatori.markdown"])
        #expect(found.pages.last?.content.contains("è gratuito") == true)
        #expect(FileManager.default.fileExists(atPath: remote.clone + "/notes.txt"))
    }

    @Test("follows the remote, by file URL and by path")
    func follows() throws {
        let remote = try TestRemote()
        let url = "file://" + remote.bare
        _ = try snapshot(remote, url: url)
        try remote.write("# Batteries\n\nTen kWh.\n", to: "en/batteries.md")
        try FileManager.default.removeItem(atPath: remote.author + "/it/contatori.markdown")
        let head = try remote.publish("Change")
        let found = try snapshot(remote, url: url)
        #expect(found.commit == head)
        #expect(found.pages.map(\.path) == ["en/batteries.md", "en/tariff.md"])
        #expect(!FileManager.default.fileExists(atPath: remote.clone + "/it/contatori.markdown"))
    }

    @Test("understands branches, tags and hashes")
    func targets() throws {
        let remote = try TestRemote()
        let first = try remote.head()
        try remote.git("tag", "light", in: remote.author)
        try remote.git(
            "-c", "user.name=A", "-c", "user.email=a@example.org", "tag", "-a", "v1", "-m", "one",
            in: remote.author)
        try remote.git("push", "--quiet", "--tags", in: remote.author)
        try remote.write("# More\n\nMore.\n", to: "more.md")
        let second = try remote.publish("More")
        for target in ["light", "v1", "refs/tags/v1", first, String(first.prefix(8))] {
            #expect(try snapshot(remote, target).commit == first, "\(target)")
        }
        for target in ["origin/main", "main", "refs/heads/main", second] {
            #expect(try snapshot(remote, target).commit == second, "\(target)")
        }
        for target in ["origin/none", "v2", "deadbeefdeadbeef", "notes.txt"] {
            #expect(throws: GitFailure.unknownTarget, "\(target)") {
                try snapshot(remote, target)
            }
        }
        #expect(try snapshot(remote).commit == second)
    }

    @Test("takes over a tag that was moved and a history that was rewritten")
    func rewrites() throws {
        let remote = try TestRemote()
        try remote.git("tag", "edition", in: remote.author)
        try remote.git("push", "--quiet", "--tags", in: remote.author)
        _ = try snapshot(remote, "edition")
        try remote.git(
            "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--quiet", "--amend",
            "--message", "Other", in: remote.author)
        try remote.git("tag", "--force", "edition", in: remote.author)
        try remote.git("push", "--quiet", "--force", "--tags", "origin", "main", in: remote.author)
        #expect(try snapshot(remote, "edition").commit == (try remote.head()))
        #expect(try snapshot(remote).commit == (try remote.head()))
    }

    @Test("leaves files changed by hand alone")
    func localChanges() throws {
        let remote = try TestRemote()
        _ = try snapshot(remote)
        try Data("mine".utf8).write(to: URL(filePath: remote.clone + "/notes.txt"))
        #expect(throws: GitFailure.localChanges) { try snapshot(remote) }
        try remote.git("checkout", "--quiet", "--", ".", in: remote.clone)
        #expect(try snapshot(remote).pages.count == 2)
        try Data("mine".utf8).write(to: URL(filePath: remote.clone + "/new.txt"))
        #expect(throws: GitFailure.localChanges) { try snapshot(remote) }
        #expect(FileManager.default.fileExists(atPath: remote.clone + "/new.txt"))
    }

    @Test("touches nothing that is no clone")
    func notAClone() throws {
        let remote = try TestRemote()
        try FileManager.default.createDirectory(
            atPath: remote.clone, withIntermediateDirectories: true)
        try Data("keep".utf8).write(to: URL(filePath: remote.clone + "/file"))
        #expect(throws: GitFailure.notARepository) { try snapshot(remote) }
        #expect(FileManager.default.fileExists(atPath: remote.clone + "/file"))
        try FileManager.default.removeItem(atPath: remote.clone)
        try Data("keep".utf8).write(to: URL(filePath: remote.clone))
        #expect(throws: GitFailure.notARepository) { try snapshot(remote) }
    }

    @Test("leaves somebody's own repository of another remote alone")
    func ownRepository() throws {
        let remote = try TestRemote()
        let other = try TestRemote()
        try remote.git("clone", "--quiet", other.bare, remote.clone, in: remote.folder)
        try remote.git(
            "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--quiet",
            "--allow-empty", "--message", "Never pushed", in: remote.clone)
        let head = try remote.git("rev-parse", "HEAD", in: remote.clone)
        #expect(throws: GitFailure.notARepository) { try snapshot(remote) }
        #expect(try remote.git("rev-parse", "HEAD", in: remote.clone) == head)
        let attributes = remote.clone + "/.git/info/attributes"
        #expect(!FileManager.default.fileExists(atPath: attributes))
        let left = try FileManager.default.contentsOfDirectory(atPath: remote.folder)
        #expect(Set(left) == ["remote.git", "author", "clone"])
    }

    @Test("takes a repository of the same remote over, as earlier versions left it")
    func unmarked() throws {
        let remote = try TestRemote()
        let other = try TestRemote()
        _ = try snapshot(remote)
        let mark = remote.clone + "/.git/celine-clone"
        try FileManager.default.removeItem(atPath: mark)
        #expect(throws: GitFailure.notARepository) { try snapshot(remote, url: other.bare) }
        #expect(try snapshot(remote).pages.count == 2)
        #expect(FileManager.default.fileExists(atPath: mark))
        #expect(try snapshot(remote, url: other.bare).commit == (try other.head()))
    }

    @Test("removes no folder beside the clone that it did not make, nor moves one there")
    func beside() throws {
        let remote = try TestRemote()
        let other = try TestRemote()
        let folder = remote.clone + ".replaced"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        try Data("keep".utf8).write(to: URL(filePath: folder + "/file"))
        for _ in 0..<2 { #expect(try snapshot(remote).pages.count == 2) }
        #expect(throws: GitFailure.notARepository) { try snapshot(remote, url: other.bare) }
        #expect(try snapshot(remote).pages.count == 2)
        #expect(FileManager.default.fileExists(atPath: folder + "/file"))
    }

    @Test("fills a folder that is empty")
    func emptyFolder() throws {
        let remote = try TestRemote()
        try FileManager.default.createDirectory(
            atPath: remote.clone, withIntermediateDirectories: true)
        #expect(try snapshot(remote).pages.count == 2)
    }

    @Test("makes the clone anew when the remote is another one")
    func origin() throws {
        let remote = try TestRemote()
        let other = try TestRemote()
        try other.write("# Other\n\nOther.\n", to: "other.md")
        let head = try other.publish("Other")
        _ = try snapshot(remote)
        let found = try snapshot(remote, url: other.bare)
        #expect(found.commit == head)
        #expect(found.pages.map(\.path).contains("other.md"))
        let left = try FileManager.default.contentsOfDirectory(atPath: remote.folder)
        #expect(Set(left) == ["remote.git", "author", "clone"])
    }

    @Test("keeps the old clone when the new remote cannot be read")
    func unreachable() throws {
        let remote = try TestRemote()
        _ = try snapshot(remote)
        #expect(throws: GitFailure.unreachable) {
            try snapshot(remote, url: remote.folder + "/nowhere.git")
        }
        #expect(throws: GitFailure.unreachable) {
            try snapshot(remote, url: "http://127.0.0.1:9/x.git")
        }
        #expect(try snapshot(remote).pages.count == 2)
    }

    @Test("recovers from a run that was killed")
    func interrupted() throws {
        let remote = try TestRemote()
        // In the middle of a clone, of a replacement, and of a checkout.
        try FileManager.default.createDirectory(
            atPath: remote.clone + ".cloning/.git", withIntermediateDirectories: true)
        #expect(try snapshot(remote).pages.count == 2)
        try FileManager.default.moveItem(
            atPath: remote.clone, toPath: remote.clone + ".replaced")
        #expect(try snapshot(remote).pages.count == 2)
        try Data().write(to: URL(filePath: remote.clone + "/.git/celine-refreshing"))
        try FileManager.default.removeItem(atPath: remote.clone + "/notes.txt")
        try Data().write(to: URL(filePath: remote.clone + "/.git/index.lock"))
        #expect(try snapshot(remote).pages.count == 2)
        let left = try FileManager.default.contentsOfDirectory(atPath: remote.folder)
        #expect(Set(left) == ["remote.git", "author", "clone"])
    }

    @Test("follows no link and reads no page over the limit")
    func limits() throws {
        let remote = try TestRemote()
        try FileManager.default.createSymbolicLink(
            atPath: remote.author + "/passwd.md", withDestinationPath: "/etc/passwd")
        try remote.write(String(repeating: "long ", count: 1000), to: "long.md")
        try remote.write("  \n", to: "blank.md")
        try remote.publish("Odd")
        var limits = GitLimits()
        limits.pageByteCountMax = 1000
        let found = try snapshot(remote, limits: limits)
        #expect(found.pages.map(\.path) == ["en/tariff.md", "it/contatori.markdown"])
        #expect(found.oversized == ["long.md"])
        limits.pageCountMax = 1
        #expect(throws: GitFailure.tooLarge("pages")) { try snapshot(remote, limits: limits) }
    }

    @Test("runs no hook of the clone")
    func hooks() throws {
        let remote = try TestRemote()
        _ = try snapshot(remote)
        let hook = remote.clone + "/.git/hooks/post-checkout"
        try FileManager.default.createDirectory(
            atPath: remote.clone + "/.git/hooks", withIntermediateDirectories: true)
        let mark = remote.folder + "/mark"
        try Data("#!/bin/sh\ntouch \(mark)\n".utf8).write(to: URL(filePath: hook))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: hook)
        try remote.write("# New\n\nNew.\n", to: "new.md")
        try remote.publish("New")
        #expect(try snapshot(remote).pages.count == 3)
        #expect(!FileManager.default.fileExists(atPath: mark))
    }
}
