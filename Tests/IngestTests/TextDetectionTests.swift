import NIOCore
import Testing

@testable import Ingest

@Suite("Text detection")
struct TextDetectionTests {
    @Test(
        "takes text in every split", arguments: ["a", "città", "👩🏽‍🔧 e\u{301} €", "# Title\n\ntext"])
    func text(_ text: String) {
        let bytes = Array(text.utf8)
        for size in 1...max(1, bytes.count) {
            #expect(kind(bytes, split: size) == .plain)
            #expect(kind([0xEF, 0xBB, 0xBF] + bytes, split: size) == .plain)
        }
        let units = text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        #expect(kind([0xFF, 0xFE] + units, split: 3) == .plain)
        #expect(TextDecoding.decode([0xFF, 0xFE] + units) == text)
        #expect(TextDecoding.decode([0xEF, 0xBB, 0xBF] + bytes) == text)
    }

    @Test(
        "refuses what is not text",
        arguments: [
            [0x00], Array("a\0b".utf8), [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82],
            [0xF5, 0x80, 0x80, 0x80], [0x80], Array("%PDF-1.7\n%text".utf8),
            Array("{\\rtf1 hello}".utf8), [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A],
            [0x50, 0x4B, 0x03, 0x04, 0x14, 0x00, 0x00, 0x00], [0xFF, 0xFE, 0x00, 0x00],
            [0xFF, 0xFE, 0x41], [0xFF, 0xFE, 0x00, 0xD8], [0xFE, 0xFF, 0xDC, 0x00, 0x00, 0x41],
        ] as [[UInt8]])
    func binary(_ bytes: [UInt8]) {
        for size in 1...bytes.count { #expect(kind(bytes, split: size) == nil) }
    }

    @Test("tells Markdown by the name's extension alone")
    func markdown() {
        #expect(kind(Array("# a".utf8), split: 2, filename: "A.MD") == .markdown)
        #expect(kind(Array("# a".utf8), split: 2, filename: "a.md.txt") == .plain)
    }

    @Test("makes one kind of line end, and keeps no controls")
    func decoding() {
        let text = "a\r\nb\rc\n\u{7}d\u{2028}e"
        #expect(TextDecoding.decode(Array(text.utf8)) == "a\nb\nc\n d\ne")
    }

    private func kind(
        _ bytes: [UInt8], split: Int, filename: String = "a.txt"
    ) -> TextDetection.Kind? {
        var detection = TextDetection()
        for start in stride(from: 0, to: bytes.count, by: split) {
            let piece = bytes[start..<min(start + split, bytes.count)]
            guard detection.take(ByteBuffer(bytes: piece)) else { return nil }
        }
        return detection.finish(filename: Filename(filename))
    }
}

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
