import Testing

@testable import Ingest

@Suite("Picture header")
struct PictureHeaderTests {
    static let samples: [(String, PictureHeader.Format, width: Int, height: Int, pageCount: Int)] =
        [
            ("bill.png", .png, 900, 300, 1), ("bill.jpg", .jpeg, 900, 300, 1),
            ("turned.jpg", .jpeg, 300, 900, 1), ("bill.gif", .gif, 900, 300, 1),
            ("bill.webp", .webp, 900, 300, 1), ("bill.tiff", .tiff, 900, 300, 2),
            ("huge.png", .png, 100_000, 100_000, 1), ("huge.gif", .gif, 65_535, 65_535, 1),
            ("huge.tiff", .tiff, 100_000, 100_000, 1),
        ]

    @Test("tells how large a picture is, page by page, without decoding it")
    func sizes() throws {
        for sample in Self.samples {
            let header = try #require(
                PictureHeader(SampleDocument.bytes(sample.0)), "\(sample.0)")
            #expect(header.format == sample.1)
            #expect(header.pages.count == sample.pageCount, "\(sample.0)")
            #expect(header.pages.first?.width == sample.width, "\(sample.0)")
            #expect(header.pages.first?.height == sample.height, "\(sample.0)")
        }
        #expect(PictureHeader(Array("no picture".utf8)) == nil)
        #expect(PictureHeader([]) == nil)
    }

    @Test("reads the two other kinds of WebP")
    func webp() {
        func file(_ kind: String, _ body: [UInt8]) -> [UInt8] {
            Array("RIFF".utf8) + [0, 0, 0, 0] + Array("WEBP\(kind)".utf8) + [0, 0, 0, 0] + body
        }
        let extended = PictureHeader(file("VP8X", [0, 0, 0, 0, 0x83, 0x03, 0, 0x2B, 0x01, 0]))
        #expect(extended?.pages.first?.width == 900)
        #expect(extended?.pages.first?.height == 300)
        // 14 bits of width less one, then 14 of height.
        let bits = UInt32(899 | 299 << 14)
        let lossless = PictureHeader(
            file("VP8L", [0x2F] + (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }))
        #expect(lossless?.pages.first?.width == 900)
        #expect(lossless?.pages.first?.height == 300)
    }

    @Test("survives any bytes: cut anywhere, and changed at random 60,000 times")
    func anyBytes() throws {
        var random = SystemRandomNumberGenerator()
        for (name, _, _, _, _) in Self.samples {
            let bytes = Array(try SampleDocument.bytes(name).prefix(2_000))
            for count in 0..<min(bytes.count, 200) { _ = PictureHeader(Array(bytes[..<count])) }
            for _ in 0..<7_000 {
                var changed = bytes
                for _ in 0..<3 {
                    let place = Int.random(in: 0..<min(changed.count, 64), using: &random)
                    changed[place] = .random(in: 0...255, using: &random)
                }
                for page in PictureHeader(changed)?.pages ?? [] { _ = page.pixelCount }
            }
        }
    }
}
