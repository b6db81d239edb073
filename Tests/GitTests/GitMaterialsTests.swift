import Foundation
import TestSupport
import Testing

@testable import Git

@Suite("What of a repository is a page")
struct GitMaterialsTests {
    private func snapshot(
        _ remote: TestRemote, limits: GitLimits = GitLimits()
    ) throws -> GitSnapshot {
        let request = GitSnapshotRequest(
            address: remote.bare, access: .open, allowsPrivate: true, path: remote.clone,
            target: "main", certificateFile: nil, limits: limits)
        var pages: [GitSnapshot.Page] = []
        var oversized: [String] = []
        var ambiguous: [String] = []
        var commit = ""
        try GitSnapshotter(request).run { line in
            switch line {
            case .page(let page): pages.append(page)
            case .oversized(let path): oversized.append(path)
            case .ambiguous(let path): ambiguous.append(path)
            case .commit(let id): commit = id
            case .failure(let failure): throw failure
            }
        }
        return GitSnapshot(
            commit: commit, pages: pages, oversized: oversized, ambiguous: ambiguous)
    }

    private func paths(_ remote: TestRemote) throws -> [String] {
        try snapshot(remote).pages.map(\.path)
    }

    private static let usual = ["en/tariff.md", "it/contatori.markdown"]

    @Test("is nothing hidden, and not the README at the root")
    func hidden() throws {
        let remote = try TestRemote()
        for path in [
            ".github/a.md", "en/.drafts/a.md", "en/.a.md", "README.md", "en/readme.md",
        ] {
            try remote.write("# A\n\nText.\n", to: path)
        }
        try remote.publish("More")
        #expect(try paths(remote) == ["en/readme.md"] + Self.usual)
    }

    @Test(
        "is nothing that .assistantignore names, in git's own words, and .gitignore names nothing")
    func ignored() throws {
        let remote = try TestRemote()
        let all = [
            "drafts/a.md", "drafts/deep/b.md", "en/drafts.md", "en/notes-1.md",
            "en/keep/notes-2.md",
            "it/a/b/archive/c.md", "it/archive.md", "top.md", "en/top.md", "#odd.md",
        ]
        for path in all { try remote.write("# A\n\nText.\n", to: path) }
        try remote.write(
            """
            # Not for members
            /drafts/
            notes-*.md
            !en/keep/notes-*.md
            it/**/archive/
            /top.md
            \\#odd.md
            """, to: ".assistantignore")
        try remote.write("en/\n", to: ".gitignore")
        try remote.git("add", "--force", "--all", in: remote.author)
        try remote.publish("More")
        #expect(
            Set(try paths(remote))
                == Set(
                    Self.usual + [
                        "en/drafts.md", "en/keep/notes-2.md", "it/archive.md", "en/top.md",
                    ]))
        let left = try FileManager.default.contentsOfDirectory(atPath: remote.folder)
        #expect(Set(left) == ["remote.git", "author", "clone"])
    }

    @Test("is nothing at all while .assistantignore is too large to be obeyed, or no file")
    func largeRules() throws {
        let remote = try TestRemote()
        try remote.write(String(repeating: "x\n", count: 40_000), to: ".assistantignore")
        try remote.publish("Large")
        #expect(throws: GitFailure.tooLarge(".assistantignore")) { try snapshot(remote) }
        try FileManager.default.removeItem(atPath: remote.author + "/.assistantignore")
        try FileManager.default.createSymbolicLink(
            atPath: remote.author + "/.assistantignore", withDestinationPath: "/etc/passwd")
        try remote.publish("Link")
        #expect(try paths(remote) == Self.usual)
    }

    @Test("comes as it was committed: attributes convert nothing, links are not followed")
    func attributes() throws {
        let remote = try TestRemote()
        try remote.write("* text=auto eol=crlf ident filter=evil\n", to: ".gitattributes")
        try remote.write("# Ident\n\n$Id$\n", to: "ident.md")
        try FileManager.default.createSymbolicLink(
            atPath: remote.author + "/out", withDestinationPath: "/etc")
        try remote.publish("Attributes")
        // Committed as it is, whatever the attributes wish.
        try Data("# Windows\r\n\r\nText.\r\n".utf8).write(
            to: URL(filePath: remote.folder + "/windows"))
        let id = try remote.git(
            "hash-object", "-w", "--no-filters", remote.folder + "/windows", in: remote.author)
        try remote.git(
            "update-index", "--add", "--cacheinfo", "100644,\(id),windows.md", in: remote.author)
        try remote.git(
            "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--quiet",
            "--message", "Windows", in: remote.author)
        try remote.git("push", "--quiet", "origin", "HEAD", in: remote.author)
        for _ in 0..<3 {
            let found = try snapshot(remote)
            #expect(found.pages.first { $0.path == "windows.md" }?.content.contains("\r\n") == true)
            #expect(found.pages.first { $0.path == "ident.md" }?.content.contains("$Id$") == true)
        }
        let file = try Data(contentsOf: URL(filePath: remote.clone + "/windows.md"))
        #expect(file == Data("# Windows\r\n\r\nText.\r\n".utf8))
        var isFolder = false as ObjCBool
        #expect(
            FileManager.default.fileExists(atPath: remote.clone + "/out", isDirectory: &isFolder))
        #expect(!isFolder.boolValue)
    }

    @Test("is looked at only if the commit's files fit, and the old ones stay otherwise")
    func size() throws {
        let remote = try TestRemote()
        var limits = GitLimits()
        limits.repositoryByteCountMax = 200_000
        let old = try snapshot(remote, limits: limits)
        // A few hundred bytes in the pack.
        try remote.write(String(repeating: "0", count: 300_000), to: "zeros.bin")
        try remote.publish("Zeros")
        #expect(throws: GitFailure.tooLarge("files")) { try snapshot(remote, limits: limits) }
        #expect(!FileManager.default.fileExists(atPath: remote.clone + "/zeros.bin"))
        try FileManager.default.removeItem(atPath: remote.author + "/zeros.bin")
        try remote.publish("None")
        #expect(try snapshot(remote, limits: limits).pages == old.pages)
    }

    @Test("is of files whose paths read the same the first in byte order")
    func ambiguous() throws {
        let remote = try TestRemote()
        let first = ["comunita\u{300}.md", "e\u{301}/a.md"]
        let second = ["comunit\u{E0}.md", "\u{E9}/a.md"]
        for path in second + first {
            try remote.write("# A\n\nText.\n", to: "text")
            let id = try remote.git("hash-object", "-w", "text", in: remote.author)
            try remote.git(
                "update-index", "--add", "--cacheinfo", "100644,\(id),\(path)", in: remote.author)
        }
        try remote.git(
            "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--quiet",
            "--message", "Twins", in: remote.author)
        try remote.git("push", "--quiet", "origin", "HEAD", in: remote.author)
        for _ in 0..<2 {
            let found = try snapshot(remote)
            // Bytes: as texts they are equal.
            #expect(found.ambiguous.map { Array($0.utf8) } == second.map { Array($0.utf8) })
            let taken = found.pages.map { Array($0.path.utf8) }
            #expect(first.allSatisfy { taken.contains(Array($0.utf8)) })
            #expect(taken.count == 4)
        }
    }

    @Test("is nothing of a submodule")
    func submodules() throws {
        let remote = try TestRemote()
        let head = try remote.head()
        try remote.write(
            "[submodule \"x\"]\n\tpath = x\n\turl = file:///etc\n", to: ".gitmodules")
        try remote.git("add", "--all", in: remote.author)
        try remote.git(
            "update-index", "--add", "--cacheinfo", "160000,\(head),x", in: remote.author)
        try remote.git(
            "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--quiet",
            "--message", "Module", in: remote.author)
        try remote.git("push", "--quiet", "origin", "HEAD", in: remote.author)
        #expect(try paths(remote) == Self.usual)
        #expect(try paths(remote) == Self.usual)
        #expect(!FileManager.default.fileExists(atPath: remote.clone + "/x/.git"))
    }

    @Test("is fetched into a small clone again once history has piled up")
    func history() throws {
        let remote = try TestRemote()
        var limits = GitLimits()
        limits.repositoryByteCountMax = 60_000
        func fill() -> String {
            (0..<7_000).map { _ in String(UInt32.random(in: 0...UInt32.max), radix: 36) }
                .joined(separator: " ")
        }
        _ = try snapshot(remote, limits: limits)
        try Data().write(to: URL(filePath: remote.clone + "/.git/mark"))
        for number in 0..<6 {
            try remote.write("# A\n\n\(fill())\n", to: "big.md")
            // Without a past, so that a new clone is small.
            try remote.git("checkout", "--quiet", "--orphan", "new\(number)", in: remote.author)
            try remote.git("add", "--all", in: remote.author)
            try remote.git(
                "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--quiet",
                "--message", "New", in: remote.author)
            try remote.git(
                "push", "--quiet", "--force", "origin", "HEAD:main", in: remote.author)
            #expect(try snapshot(remote, limits: limits).pages.count == 3)
        }
        #expect(!FileManager.default.fileExists(atPath: remote.clone + "/.git/mark"))
    }
}
