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
        "asks no other scheme than https, http, ssh, file and paths, and no host that is none",
        arguments: [
            "git://host/x", "ext::sh -c x", "ftp://h/x", "file://host/x", "https://", "", "a b",
            "http://\n", "javascript:x", "https://host\\@evil/x", "https://-host/x",
            "https://ho st/x", "https://host:0/x", "https://host:99999/x", "https://host:/x",
            "https://host/x?y", "https://host/x#y", "ssh://host", "ssh://-oProxyCommand=x/y",
            "ssh://git@-oProxyCommand=x/y", "git@-oProxyCommand=x:y", "git@host:-x", "git@host:",
            "a@b@host:x", "https://[::1/x", "https://.host/x", "https://ho%73t/x",
        ])
    func schemes(_ url: String) {
        #expect(throws: GitRemoteURL.Problem.notUnderstood) { try GitRemoteURL(url) }
    }

    @Test(
        "takes no password within an address",
        arguments: [
            "https://bot:secret@host/x", "https://token@host/x", "http://a:b@host/x",
            "ssh://git:secret@host/x", "https://a:b@c@host/x",
        ])
    func passwords(_ url: String) {
        #expect(throws: GitRemoteURL.Problem.holdsPassword) { try GitRemoteURL(url) }
    }

    @Test(
        "knows the host that is asked, by its usual port or another",
        arguments: [
            ("https://Host.example/x", "host.example"), ("https://h.example:443/x", "h.example"),
            ("https://h.example:8443/x", "h.example:8443"), ("http://[::1]:81/x", "[::1]:81"),
            ("ssh://git@h.example/x", "h.example"), ("git@h.example:x/y.git", "h.example"),
            ("ssh://h.example:2222/x", "h.example:2222"),
        ])
    func hosts(_ url: String, _ host: String) throws {
        #expect(try GitRemoteURL(url).host == host)
    }

    @Test(
        "says where a page can be read",
        arguments: [
            ("https://host.example/x/y.git", "https://host.example/x/y/blob/abc/it/a%20b.md"),
            ("https://host.example:8443/x/", "https://host.example:8443/x/blob/abc/it/a%20b.md"),
            ("git@host.example:x/y.git", "https://host.example/x/y/blob/abc/it/a%20b.md"),
            ("ssh://git@host.example:22/x/y", "https://host.example/x/y/blob/abc/it/a%20b.md"),
            ("/srv/x", "it/a b.md"), ("file:///srv/x", "it/a b.md"),
        ])
    func pages(_ url: String, _ page: String) throws {
        #expect(try GitRemoteURL(url).page("it/a b.md", commit: "abc") == page)
    }
}

@Suite("Addresses that everybody can reach")
struct NetworkAddressTests {
    @Test(
        "are not those of a machine or of a network of ours",
        arguments: [
            "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255",
            "192.168.1.1", "169.254.169.254", "100.64.0.1", "198.18.0.1", "224.0.0.1",
            "255.255.255.255", "192.0.2.1", "[::1]", "[::]", "[fe80::1]", "[fd00::1]",
            "[ff02::1]", "[::ffff:10.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
            "[2001:db8::1]", "[100::1]", "localhost", "0x7f000001", "2130706433", "127.1",
        ])
    func special(_ host: String) throws {
        #expect(try NetworkAddress.all(of: host + ":443").contains { !$0.isPublic })
    }

    @Test(
        "are all others",
        arguments: [
            "1.1.1.1", "172.15.0.1", "172.32.0.1", "192.167.1.1", "100.63.0.1", "100.128.0.1",
            "[2606:4700::1111]", "[::ffff:1.1.1.1]", "[2002:101:101::]", "223.255.255.1",
        ])
    func global(_ host: String) throws {
        #expect(try NetworkAddress.all(of: host).allSatisfy(\.isPublic))
    }
}
