import TestSupport
import Testing

@testable import Ingest

/// Random changes where those to whole files do not get, as an archive's checksums stop them: each
/// ends in text or a typed failure.
@Suite("Markup with damage")
struct ContainerFuzzTests {
    private static let limits = {
        var limits = ReadingLimits()
        limits.unpackedByteCountMax = 4 << 20
        limits.textByteCountMax = 1 << 20
        return limits
    }()

    @Test(
        "survive changed markup in a whole archive",
        arguments: [
            (.docx, "word/document.xml"), (.docx, "word/styles.xml"), (.docx, "_rels/.rels"),
            (.xlsx, "xl/worksheets/sheet1.xml"), (.xlsx, "xl/styles.xml"),
            (.xlsx, "xl/workbook.xml"), (.ods, "content.xml"), (.odt, "content.xml"),
        ] as [(Extraction.Format, String)])
    func markup(_ format: Extraction.Format, _ name: String) async throws {
        let parts = Self.parts(of: format)
        let example = try #require(parts.first { $0.0 == name })
        let tokens = [
            "<", ">", "/>", "\"", "999999999999999999", "-1", "&amp;", "<w:tbl>", "</w:p>",
        ]
        try await Fuzzing("\(name) of \(format)", runCount: 250).each(
            of: [Array(example.1.utf8)], tokens: tokens
        ) { input in
            var zip = ZipFile()
            for (other, text) in parts {
                zip.add(other, other == name ? input.bytes : Array(text.utf8))
            }
            read(zip.bytes, as: format)
        }
    }

    @Test("survive pages of tags in any order")
    func tags() async throws {
        let tags = [
            "<table>", "<tr>", "<td colspan=3>", "<th rowspan=2>", "</table>", "<ul>", "<li>",
            "</li>", "</ul>", "<main>", "</main>", "<h2>", "</h2>", "<pre>", "</pre>", "<p>",
            "</p>",
            "<br>", "<div hidden>", "</div>", "<dl><dt>", "<dd>", "<title>", "</title>", "<script>",
            "</script>", "parola", " ", "&amp;", "&#0;", "<![CDATA[", "]]>", "<!--", "-->",
        ]
        try await Fuzzing("tags", runCount: 1000).each(of: [Array("<p>a".utf8)], tokens: tags) {
            input in
            let more = (0..<40).map { _ in tags.randomElement(using: &input.generator) ?? "" }
            read(input.bytes + Array(more.joined().utf8), as: .html)
        }
    }

    /// What it makes of it does not matter, that it ends does.
    private func read(_ bytes: [UInt8], as format: Extraction.Format) {
        // A failure is an end as well, and its type is all it can be.
        guard let document = try? Extraction.extract(bytes, as: format, limits: Self.limits) else {
            return
        }
        let extracted = ExtractedText(title: document.title, blocks: document.blocks)
        #expect(extracted.text.utf8.count <= 2 * Self.limits.textByteCountMax)
    }

    private static func parts(of format: Extraction.Format) -> MadeDocument.Parts {
        switch format {
        case .docx:
            MadeDocument.docxParts(
                body: """
                    <w:p><w:pPr><w:pStyle w:val="T1"/></w:pPr><w:r><w:t>Titolo</w:t></w:r></w:p>
                    <w:p><w:pPr><w:numPr><w:ilvl w:val="1"/><w:numId w:val="3"/></w:numPr></w:pPr>
                    <w:r><w:t>voce</w:t><w:tab/><w:br/></w:r><w:del><w:r><w:delText>x</w:delText>
                    </w:r></w:del></w:p><w:tbl><w:tr><w:trPr><w:tblHeader/></w:trPr><w:tc><w:tcPr>
                    <w:gridSpan w:val="2"/></w:tcPr><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc>
                    <w:tbl><w:tr><w:tc><w:p/></w:tc></w:tr></w:tbl></w:tc></w:tr></w:tbl>
                    """,
                styles: """
                    <w:style w:styleId="T1"><w:name w:val="heading 1"/><w:basedOn w:val="T2"/>
                    <w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:style>
                    <w:style w:styleId="T2"><w:basedOn w:val="T1"/></w:style>
                    """)
        case .xlsx:
            MadeDocument.xlsxParts(
                sheet: """
                    <row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" s="1"><v>45351.5</v></c></row>
                    <row r="2"><c r="A2" t="b"><v>1</v></c><c r="C2" s="2"><v>-0.005</v></c></row>
                    <row r="9"><c r="AB9" t="inlineStr"><is><t>x</t></is></c></row>
                    """,
                strings: "<si><r><t>uno</t></r><rPh><t>x</t></rPh></si>",
                styles: """
                    <numFmts><numFmt numFmtId="164" formatCode="d/m/yy h:mm"/><numFmt numFmtId="165"
                    formatCode="[$€-410] #,##0.00;[Red]-0"/></numFmts><cellXfs><xf numFmtId="0"/>
                    <xf numFmtId="164"/><xf numFmtId="165"/></cellXfs>
                    """)
        case .ods:
            MadeDocument.odsParts(
                """
                <t:table-row t:number-rows-repeated="2"><t:table-cell o:value-type="date"
                o:date-value="2024-02-29T12:00:00"><x:p>x</x:p></t:table-cell><t:table-cell
                t:number-columns-repeated="3"/><t:table-cell><x:p>b<x:s x:c="3"/>c</x:p>
                </t:table-cell></t:table-row><t:table-row t:number-rows-repeated="1048570">
                <t:table-cell/></t:table-row>
                """)
        default:
            MadeDocument.odtParts(
                """
                <x:h x:outline-level="2">Titolo</x:h><x:list><x:list-item><x:p>uno</x:p><x:list>
                <x:list-item><x:p>due</x:p></x:list-item></x:list></x:list-item></x:list><t:table>
                <t:table-header-rows><t:table-row><t:table-cell><x:p>a</x:p></t:table-cell>
                <t:table-cell t:number-columns-repeated="4"/></t:table-row></t:table-header-rows>
                </t:table><x:p>t<x:note><x:note-body><x:p>n</x:p></x:note-body></x:note></x:p>
                """)
        }
    }
}
