import Testing

@testable import Ingest

@Suite("File names, ranges and dispositions")
struct DownloadHeaderTests {
    @Test(
        "keeps the last part of a path, without controls, within 255 bytes",
        arguments: [
            ("../../etc/passwd", "passwd"), (#"C:\docs\a b.md"#, "a b.md"), ("", "file"),
            ("..", "file"), ("/", "file"), ("a\u{0}b\n.md", "ab.md"),
            ("evil\u{202E}gpj.exe", "evilgpj.exe"), ("  città.md ", "città.md"),
            (
                String(repeating: "è", count: 200) + ".md",
                String(repeating: "è", count: 126) + ".md"
            ),
        ])
    func filename(_ written: String, _ kept: String) {
        #expect(Filename(written).text == kept)
    }

    @Test(
        "reads ranges as RFC 9110 has them",
        arguments: [
            (nil, .whole), ("bytes=0-3", .part(0..<4)), ("bytes=4-", .part(4..<10)),
            ("bytes=-3", .part(7..<10)), ("bytes=-30", .part(0..<10)),
            ("bytes=9-99", .part(9..<10)),
            ("bytes=10-", .unsatisfiable), ("bytes=-0", .unsatisfiable), ("bytes=5-2", .whole),
            ("bytes=0-1,3-4", .whole), ("items=0-1", .whole), ("bytes=-", .whole),
            ("bytes=a-b", .whole), ("bytes=99999999999999999999-", .whole),
        ] as [(String?, ByteRange)])
    func range(_ header: String?, _ expected: ByteRange) {
        #expect(ByteRange(header, byteCount: 10) == expected)
    }

    @Test("shows harmless types alone, and encodes every name")
    func disposition() {
        #expect(
            ContentDisposition.header(filename: "a\"è;.txt", contentType: "text/plain")
                == "inline; filename=\"a__;.txt\"; filename*=UTF-8''a%22%C3%A8%3B.txt")
        #expect(
            ContentDisposition.header(filename: "a.md", contentType: "text/markdown")
                .hasPrefix("attachment;"))
    }
}
