import Testing

@testable import Ingest

@Suite("Hostile documents")
struct HostileDocumentTests {
    private static let limits = {
        var limits = ReadingLimits()
        limits.unpackedByteCountMax = 1 << 20
        limits.textByteCountMax = 64 << 10
        return limits
    }()

    @Test(
        "that unpack to too much are stopped, whatever sizes they declare",
        arguments: [nil, 0, 100, 0xFFFF_FFFE])
    func zipBomb(_ declared: Int?) {
        var zip = ZipFile()
        zip.add("content.xml", zeroCount: 16 << 20, declared: declared)
        expect(.unpacksTooLarge, zip, as: .odt)
    }

    @Test("are stopped also when no single entry is too large")
    func manyBombs() {
        var zip = MadeDocument.docx(body: "<w:p><w:r><w:t>a</w:t></w:r></w:p>")
        for number in 0..<10 {
            zip.add("word/part\(number).xml", [UInt8](repeating: 0, count: 120_000))
        }
        expect(.unpacksTooLarge, zip, as: .docx)
    }

    @Test("may hold bombs where nothing is read")
    func unreadBomb() throws {
        var zip = MadeDocument.docx(body: "<w:p><w:r><w:t>a</w:t></w:r></w:p>")
        zip.add("word/media/image1.png", zeroCount: 16 << 20)
        zip.add("word/embeddings/inner.zip", zip.bytes)
        #expect(
            try MadeDocument.read(zip.bytes, as: .docx, limits: Self.limits) == "title: none\n\na\n"
        )
    }

    @Test("with too many entries are refused before any is unpacked")
    func entries() {
        var zip = MadeDocument.docx(body: "")
        for number in 0..<60_000 { zip.add("x/\(number)", []) }
        expect(.tooManyEntries, zip, as: .docx)
    }

    @Test("of a ZIP inside a ZIP are not opened")
    func nested() {
        var zip = ZipFile()
        zip.add("content.xml", MadeDocument.odt("<t:p>a</t:p>").bytes)
        expect(.corrupt, zip, as: .odt)
        var outer = ZipFile()
        outer.add("inner.odt", MadeDocument.odt("<t:p>a</t:p>").bytes)
        expect(.corrupt, outer, as: .odt)
    }

    @Test(
        "that declare entities are refused",
        arguments: [
            (["<!ENTITY a \"aaaaaaaaaa\">"]
                + (1...9).map { level in
                    let last = level == 1 ? "&a;" : "&a\(level - 1);"
                    return "<!ENTITY a\(level) \"\(String(repeating: last, count: 10))\">"
                }).joined(),
            "<!ENTITY a9 SYSTEM \"file:///etc/passwd\">",
            "<!ENTITY % a9 SYSTEM \"http://127.0.0.1:9/x.dtd\"> %a9;",
        ])
    func entities(_ declarations: String) {
        let zip = MadeDocument.docx(
            body: "<w:p w:a=\"x\"><w:r><w:t>&a9;</w:t></w:r></w:p>",
            doctype: "<!DOCTYPE w:document [\(declarations)]>")
        expect(.corrupt, zip, as: .docx)
    }

    @Test("nested too deeply are refused", arguments: [200, 300, 50_000])
    func depth(_ depth: Int) {
        func nested(_ start: String, _ end: String) -> String {
            String(repeating: start, count: depth) + String(repeating: end, count: depth)
        }
        expect(.tooDeep, MadeDocument.odt(nested("<t:list>", "</t:list>")), as: .odt)
        expect(.tooDeep, MadeDocument.docx(body: nested("<w:sdt>", "</w:sdt>")), as: .docx)
        expect(.tooDeep, MadeDocument.docx(body: String(repeating: "<a>", count: depth)), as: .docx)
        expect(.tooDeep, Array(nested("<div>", "</div>").utf8), as: .html)
        expect(.tooDeep, Array(String(repeating: "<table><tr><td>", count: depth).utf8), as: .html)
    }

    @Test("that are encrypted say so, each in its way")
    func encrypted() throws {
        var zip = ZipFile()
        zip.add("content.xml", Array("secret".utf8), flags: 1)
        expect(.encrypted, zip, as: .odt)

        var text = MadeDocument.odt("<t:p>a</t:p>")
        text.add(
            "META-INF/manifest.xml",
            Array(
                "<m><file-entry full-path=\"content.xml\"><encryption-data/></file-entry></m>".utf8)
        )
        expect(.encrypted, text, as: .odt)

        let container: [UInt8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]
        let legacy = container + [UInt8](repeating: 0, count: 2040)
        let name = "EncryptedPackage".utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        expect(.encrypted, legacy + name + [UInt8](repeating: 0, count: 96), as: .docx)
        expect(.corrupt, legacy + [0, 0], as: .docx)

        var book = ZipFile([("META-INF/container.xml", "<c/>")])
        book.add(
            "META-INF/encryption.xml",
            Array(
                "<e><EncryptedData><EncryptionMethod Algorithm=\"aes\"/></EncryptedData></e>".utf8))
        expect(.encrypted, book, as: .epub)
    }

    @Test("with cells far apart read like small ones")
    func sparse() throws {
        let sheet = MadeDocument.xlsx(
            sheet: "<row r=\"1\"><c r=\"A1\"><v>1</v></c><c r=\"XFD1\"><v>2</v></c></row>"
                + "<row r=\"2\"><c r=\"A2\"><v>3</v></c><c r=\"XFD2\"><v>4</v></c></row>"
                + "<row r=\"1048576\"><c r=\"XFD1048576\"><v>5</v></c></row>")
        let text = try MadeDocument.read(sheet.bytes, as: .xlsx, limits: Self.limits)
        #expect(text == "title: none\n\n(page 1)\n\n# S\n\n{1 | 2}\n1 | 2\n3 | 4\n\n5\n")
        let million = "t:number-rows-repeated=\"1000000000\""
        let cells = "t:number-columns-repeated=\"1000000000\""
        let document = MadeDocument.ods(
            "<t:table-row \(million)><t:table-cell \(cells)/></t:table-row>"
                + "<t:table-row><t:table-cell \(cells)/><t:table-cell><x:p>a</x:p></t:table-cell></t:table-row>"
        )
        #expect(
            try MadeDocument.read(document.bytes, as: .ods, limits: Self.limits)
                == "title: none\n\n(page 1)\n\n# S\n")
    }

    @Test("that say one thing millions of times are stopped at the limit on text")
    func repetition() {
        let many = "t:number-rows-repeated=\"1000000\""
        expect(
            .tooMuchText,
            MadeDocument.ods(
                "<t:table-row \(many)><t:table-cell><x:p>abcdef</x:p></t:table-cell></t:table-row>"),
            as: .ods)
        let cell = "<c t=\"s\"><v>0</v></c>"
        expect(
            .tooMuchText,
            MadeDocument.xlsx(
                sheet: "<row>\(String(repeating: cell, count: 200))</row>",
                strings: "<si><t>\(String(repeating: "a", count: 10_000))</t></si>"),
            as: .xlsx)
        // A diagonal: every row reaches to a further column, and the gaps are the text.
        let rows = (1...400).map { "<tr><td>a" + String(repeating: "<td>", count: $0) + "x" }
        expect(.tooMuchText, Array("<table>\(rows.joined())".utf8), as: .html)
    }

    @Test("with spans beyond reason read as tables")
    func spans() throws {
        let page = "<table><tr><td colspan=999999999 rowspan=999999999>a<td>b<tr><td>c</table>"
        let text = try MadeDocument.read(Array(page.utf8), as: .html, limits: Self.limits)
        #expect(text == "title: none\n\n{a | b}\na | b\n| c\n")
    }

    private func expect(
        _ failure: ExtractionFailure, _ zip: ZipFile, as format: Extraction.Format,
        _ location: SourceLocation = #_sourceLocation
    ) {
        expect(failure, zip.bytes, as: format, location)
    }

    private func expect(
        _ failure: ExtractionFailure, _ bytes: [UInt8], as format: Extraction.Format,
        _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(throws: failure, sourceLocation: location) {
            try Extraction.extract(bytes, as: format, limits: Self.limits).blocks.count
        }
    }
}
