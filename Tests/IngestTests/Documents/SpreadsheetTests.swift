import Testing

@testable import Ingest

@Suite("Spreadsheets")
struct SpreadsheetTests {
    @Test(
        "show numbers as their format does, and dates in the form of ISO 8601",
        arguments: [
            ("General", 0.1 + 0.2, "0.3"), ("General", 1e14, "100000000000000"),
            ("General", -2.5, "-2.5"), ("0", 2.4, "2"), ("#,##0.00", 1234.5, "1234.50"),
            ("0.00", -0.001, "0.00"), ("0.0%", 0.625, "62.5%"), ("00000", 185, "00185"),
            ("#,##0.00\\ \"€\"", 9.9, "9.90 €"), ("[$€-410]\\ #,##0.00;[RED]\\-0", 9.9, "9.90 €"),
            ("0.00E+00", 12345, "12345"), ("# ?/?", 0.5, "0.5"), ("@", 7, "7"),
            ("dd/mm/yyyy", 45351, "2024-02-29"),
            ("d/m/yy h:mm", 45351.604166666667, "2024-02-29 14:30"),
            ("[$-410]d mmmm yyyy;@", 1, "1900-01-01"), ("d", 61, "1900-03-01"),
            ("mmm-yy", 45351, "2024-02"), ("h:mm AM/PM", 0.75, "18:00"),
            ("h:mm:ss AM/PM", 0.50001, "12:00:01"), ("[h]:mm", 1.5, "36:00"),
            ("mm:ss", 0.01, "00:14:24"),
            ("yyyy", -1, "-1"), ("yyyy", 1e300, "1e+300"), ("\"d\"0", 4, "4"),
            ("General", .infinity, "inf"),
        ])
    func numbers(_ code: String, _ value: Double, _ shown: String) {
        #expect(NumberFormat(code: code).text(value, isFrom1904: false) == shown)
    }

    @Test("count days from 1904 where the file does")
    func macintosh() {
        #expect(NumberFormat(builtIn: 14).text(43889, isFrom1904: true) == "2024-02-29")
    }

    @Test("hold every kind of cell, with and without its place")
    func cells() throws {
        let zip = MadeDocument.xlsx(
            sheet: """
                <row r="2"><c r="B2" t="s"><v>0</v></c><c t="inlineStr"><is><t>in line</t></is></c>\
                <c t="b"><v>1</v></c></row>\
                <row><c r="B3" s="1"><f>TODAY()</f><v>45351</v></c><c t="str"><v>text</v></c>\
                <c t="e"><v>#REF!</v></c><c t="s"><v>99</v></c></row>
                """,
            strings: "<si><r><t>two </t></r><r><t>runs</t></r><rPh><t>x</t></rPh></si>",
            styles: "<cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs>")
        #expect(
            try MadeDocument.read(zip.bytes, as: .xlsx) == """
                title: none

                (page 1)

                # S

                {two runs | in line | TRUE}
                two runs | in line | TRUE
                2024-02-29 | text | #REF!

                """)
    }

    @Test("of OpenDocument repeat rows and cells as often as they say")
    func repeated() throws {
        let zip = MadeDocument.ods(
            """
            <t:table-row><t:table-cell><x:p>a</x:p></t:table-cell><t:table-cell><x:p>b</x:p>\
            </t:table-cell></t:table-row>\
            <t:table-row t:number-rows-repeated="2"><t:table-cell t:number-columns-repeated="2">\
            <x:p>c<x:s/>d</x:p><o:annotation><x:p>remark</x:p></o:annotation></t:table-cell>\
            </t:table-row>
            """)
        #expect(
            try MadeDocument.read(zip.bytes, as: .ods) == """
                title: none

                (page 1)

                # S

                {a | b}
                a | b
                c d | c d
                c d | c d

                """)
    }
}
