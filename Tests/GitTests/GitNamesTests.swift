import Testing

@testable import Git

@Suite("Names that git understands")
struct GitNamesTests {
    @Test(
        "refuses what is no ref name",
        arguments: [
            "", "-x", "--upload-pack=x", "a..b", "a b", "a\tb", "a~1", "a^", "a:b", "a?", "a*",
            "[a", "a\\b", "/a", "a/", "a//b", ".a", "a/.b", "a.lock", "a.lock/b", "a.", "@",
            "a@{1}",
            "a\u{7F}", String(repeating: "a", count: 256),
        ])
    func refused(_ name: String) {
        #expect(GitTarget(name) == nil)
    }

    @Test(
        "takes branches, tags and hashes",
        arguments: ["main", "origin/main", "v1.0", "feature/x-y_z", "è", "0123abcd", "a@b"])
    func taken(_ name: String) {
        #expect(GitTarget(name)?.name == name)
    }

    @Test(
        "asks no other scheme than http, https, file and paths",
        arguments: [
            "ssh://git@host/x", "git@host:x.git", "git://host/x", "ext::sh -c x", "ftp://h/x",
            "file://host/x", "https://", "", "a b", "http://\n", "javascript:x",
        ])
    func schemes(_ url: String) {
        #expect(GitRemoteURL(url) == nil)
    }

    @Test("keeps credentials out of the address")
    func credentials() throws {
        let url = try #require(GitRemoteURL("https://bot:p%40ss@host.example/x/y.git"))
        #expect(url.address == "https://host.example/x/y.git")
        #expect(url.credentials?.user == "bot")
        #expect(url.credentials?.password == "p@ss")
    }

    @Test("says where a page can be read")
    func pages() throws {
        let url = try #require(GitRemoteURL("https://host.example/x/y.git"))
        #expect(
            url.page("it/a b.md", commit: "abc")
                == "https://host.example/x/y/blob/abc/it/a%20b.md")
        #expect(try #require(GitRemoteURL("/srv/x")).page("a.md", commit: "abc") == "a.md")
    }
}
