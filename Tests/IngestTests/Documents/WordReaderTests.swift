import Testing

@testable import Ingest

@Suite("Word documents")
struct WordReaderTests {
    @Test("find headings by the outline levels of styles, whatever language those are in")
    func headings() throws {
        let text = try read(
            body: styled("Titolo1", "Capo") + styled("Mio", "Sezione")
                + styled("berschrift3", "Teil")
                + styled("Standard", "Testo")
                + "<w:p><w:pPr><w:outlineLvl w:val=\"1\"/></w:pPr>\(run("Diretto"))</w:p>"
                + "<w:p><w:pPr><w:pStyle w:val=\"Titolo1\"/><w:outlineLvl w:val=\"9\"/></w:pPr>"
                + "\(run("Come testo"))</w:p>",
            styles: style("Titolo1", name: "heading 1", "<w:outlineLvl w:val=\"0\"/>")
                + style("Mio", name: "Stile mio", base: "Mezzo")
                + style("Mezzo", name: "Mezzo", base: "Titolo2")
                + style("Titolo2", name: "heading 2", "<w:outlineLvl w:val=\"1\"/>")
                + style("berschrift3", name: "heading 3")
                + style("Standard", name: "Normal"))
        #expect(
            text == """
                # Capo

                ## Sezione

                ### Teil

                Testo

                ## Diretto

                Come testo

                """)
    }

    @Test("survive styles that are based on one another in a circle")
    func circle() throws {
        let styles = style("A", name: "a", base: "B") + style("B", name: "b", base: "A")
        #expect(try read(body: styled("A", "x"), styles: styles) == "x\n")
    }

    @Test("are read with all changes accepted")
    func changes() throws {
        let text = try read(
            body: """
                <w:p>\(run("a "))<w:del><w:r><w:delText>gone</w:delText></w:r></w:del>\
                <w:ins>\(run("new "))</w:ins><w:moveFrom>\(run("from"))</w:moveFrom>\
                <w:moveTo>\(run("to"))</w:moveTo></w:p>\
                <w:p><w:pPr><w:pPrChange><w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:pPrChange>\
                </w:pPr>\(run("text"))</w:p>\
                <w:tbl><w:tr><w:tc><w:p>\(run("x"))</w:p></w:tc><w:tc><w:p>\(run("y"))</w:p></w:tc>\
                </w:tr><w:tr><w:trPr><w:del/></w:trPr><w:tc><w:p>\(run("row"))</w:p></w:tc></w:tr>\
                </w:tbl>
                """)
        #expect(text == "a new to\n\ntext\n\n{}\nx | y\n")
    }

    @Test("are read once where content stands in several forms")
    func alternatives() throws {
        let box = "<w:txbxContent><w:p>\(run("box"))</w:p></w:txbxContent>"
        let text = try read(
            body: """
                <w:p>\(run("before "))<w:r><mc:AlternateContent><mc:Choice><w:drawing>\(box)\
                </w:drawing></mc:Choice><mc:Fallback><w:pict>\(box)</w:pict></mc:Fallback>\
                </mc:AlternateContent></w:r>\(run("after"))</w:p>
                """)
        #expect(text == "box\n\nbefore after\n")
    }

    @Test("keep links, fields and controls, and leave commands, hidden text and directories out")
    func runs() throws {
        let text = try read(
            body: """
                <w:p><w:hyperlink>\(run("link "))</w:hyperlink><w:r><w:instrText>PAGE</w:instrText>\
                </w:r><w:sdt><w:sdtContent>\(run("field "))</w:sdtContent></w:sdt>\
                <w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r>\
                <w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t>shown</w:t><w:tab/><w:t>tab</w:t>\
                <w:br/><w:t>CO</w:t><w:noBreakHyphen/><w:t>2</w:t></w:r></w:p>\
                \(styled("Sommario1", "Contents 3"))
                """,
            styles: style("Sommario1", name: "toc 1"))
        #expect(text == "link field shown tab\nCO-2\n")
    }

    @Test("keep lists, also those that styles make, and number 0 ends them")
    func lists() throws {
        func item(_ text: String, _ properties: String) -> String {
            "<w:p><w:pPr>\(properties)</w:pPr>\(run(text))</w:p>"
        }
        let numbered = "<w:numPr><w:ilvl w:val=\"1\"/><w:numId w:val=\"7\"/></w:numPr>"
        let text = try read(
            body: item("one", "<w:pStyle w:val=\"L\"/>") + item("two", numbered)
                + item("text", "<w:pStyle w:val=\"L\"/><w:numPr><w:numId w:val=\"0\"/></w:numPr>"),
            styles: style("L", name: "List Bullet", "<w:numPr><w:numId w:val=\"2\"/></w:numPr>"))
        #expect(text == "- one\n  - two\n\ntext\n")
    }

    @Test("put a table inside a cell where it stands, and notes after the table")
    func tables() throws {
        func cell(_ content: String) -> String { "<w:tc>\(content)</w:tc>" }
        func row(_ cells: String) -> String { "<w:tr>\(cells)</w:tr>" }
        let plain = { (text: String) in cell("<w:p>\(run(text))</w:p>") }
        let note = "<w:p>\(run("d"))<w:r><w:footnoteReference w:id=\"2\"/></w:r></w:p>"
        let inner =
            "<w:tbl>" + row(plain("1") + plain("2")) + row(plain("3") + plain("4")) + "</w:tbl>"
        var zip = MadeDocument.docx(
            body: "<w:tbl>" + row(plain("a") + plain("b")) + row(plain("c") + cell(note))
                + row(plain("e") + cell(inner + "<w:p/>")) + "</w:tbl>")
        zip.add(
            "word/footnotes.xml",
            Array(
                "<w:n xmlns:w=\"w\"><w:footnote w:id=\"2\"><w:p>\(run("why"))</w:p></w:footnote></w:n>"
                    .utf8))
        let text = try MadeDocument.read(zip.bytes, as: .docx)
        #expect(
            text == """
                title: none

                {a | b}
                a | b
                c | d
                e

                {1 | 2}
                1 | 2
                3 | 4

                Note: why

                """)
    }

    private func run(_ text: String) -> String {
        "<w:r><w:t xml:space=\"preserve\">\(text)</w:t></w:r>"
    }

    private func styled(_ style: String, _ text: String) -> String {
        "<w:p><w:pPr><w:pStyle w:val=\"\(style)\"/></w:pPr>\(run(text))</w:p>"
    }

    private func style(
        _ id: String, name: String, _ properties: String = "", base: String? = nil
    ) -> String {
        let base = base.map { "<w:basedOn w:val=\"\($0)\"/>" } ?? ""
        return
            "<w:style w:type=\"paragraph\" w:styleId=\"\(id)\"><w:name w:val=\"\(name)\"/>\(base)"
            + "<w:pPr>\(properties)</w:pPr></w:style>"
    }

    private func read(body: String, styles: String = "") throws -> String {
        let text = try MadeDocument.read(
            MadeDocument.docx(body: body, styles: styles).bytes, as: .docx)
        return String(text.dropFirst("title: none\n\n".count))
    }
}
