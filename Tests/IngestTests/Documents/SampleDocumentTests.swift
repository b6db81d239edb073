import Testing

@testable import Ingest

@Suite("Sample documents")
struct SampleDocumentTests {
    @Test(
        "are read whole, in order, with their structure",
        arguments: [
            ("rules.docx", .docx, "rules"), ("rules.odt", .odt, "rules"),
            ("guide.docx", .docx, "guide.docx"), ("guide.odt", .odt, "guide.odt"),
            ("meters.xlsx", .xlsx, "meters"), ("meters.ods", .ods, "meters"),
            ("assembly.pptx", .pptx, "assembly"), ("assembly.odp", .odp, "assembly"),
            ("guide.pptx", .pptx, "guide.pptx"), ("guide.epub", .epub, "guide.epub"),
            ("guide.html", .html, "guide.html"), ("page.html", .html, "page"),
            ("rules.rtf", .rtf, "rules"), ("guide.rtf", .rtf, "guide.rtf"),
            ("guide.md", .markdown, "guide.md"), ("meters.csv", .csv, "meters.csv"),
            ("meters.tsv", .tsv, "meters.csv"), ("meters.json", .json, "meters.json"),
            ("invito.eml", .mail, "invito"), ("bollettino-windows.txt", .plainText, "bollettino"),
            ("bollettino-latin9.txt", .plainText, "bollettino"),
            ("bollettino-mac.txt", .plainText, "bollettino"),
            ("bollettino-utf16.txt", .plainText, "bollettino"),
            ("bollettino-utf16be.txt", .plainText, "bollettino"),
        ] as [(String, Extraction.Format, String)])
    func whole(_ file: String, _ format: Extraction.Format, _ expected: String) throws {
        let document = try Extraction.extract(
            try SampleDocument.bytes(file), as: format, limits: ReadingLimits())
        #expect(SampleDocument.described(document) == (try SampleDocument.expected(expected)))
    }

    @Test(
        "have every fact at its place",
        arguments: [
            (
                "rules.docx", .docx, "Produttori | 35 %", nil,
                ["Regolamento della CER «Valle Sole»", "Ripartizione dell’incentivo"]
            ),
            (
                "rules.odt", .odt, "- residenti", nil,
                ["Regolamento della CER «Valle Sole»", "Adesione", "Chi può aderire"]
            ),
            ("meters.xlsx", .xlsx, "2024-02-29 14:30", 1, ["Meter readings", "Letture 2024"]),
            ("meters.ods", .ods, "Scuola “Rodari” | 50", 3, ["Meter readings", "Members"]),
            ("assembly.pptx", .pptx, "31 MWh", 3, ["Assemblea 2024", "Risultati dell’anno"]),
            ("assembly.odp", .odp, "Ringraziare", 3, ["Assemblea 2024", "Risultati dell’anno"]),
            (
                "guide.epub", .epub, "up to 200 kW | 80", nil,
                ["Guide to sharing energy", "What a community is", "Tariff"]
            ),
            (
                "page.html", .html, "unità di energia", nil,
                ["Bolletta & comunità | Valle Sole", "Leggere la bolletta", "Voci"]
            ),
            (
                "rules.rtf", .rtf, "Produttori | 35 %", nil,
                ["Regolamento della CER «Valle Sole»", "Ripartizione dell’incentivo"]
            ),
            ("guide.md", .markdown, "| 200–600 kW", nil, ["What a community is", "Tariff"]),
            ("meters.csv", .csv, "Totale | | 1974.75", nil, []),
            ("meters.json", .json, "kWh: 740.25", nil, ["letture"]),
            (
                "invito.eml", .mail, "novità è già qui", nil,
                ["Assemblea straordinaria: novità sulla tariffa, e perché è più bassa"]
            ),
            ("bollettino-mac.txt", .plainText, "0,12 €", nil, []),
        ] as [(String, Extraction.Format, String, Int?, [String])])
    func places(
        _ file: String, _ format: Extraction.Format, _ fact: String, _ page: Int?, _ path: [String]
    ) throws {
        let document = try Extraction.extract(
            try SampleDocument.bytes(file), as: format, limits: ReadingLimits())
        let extracted = ExtractedText(title: document.title, blocks: document.blocks)
        let chunker = Chunker(windowTokenCount: 512) { [$0.startIndex..<$0.endIndex] }
        let piece = try #require(
            chunker.pieces(of: extracted).first { extracted.text.slice($0.range).contains(fact) })
        #expect(piece.page == page)
        #expect(piece.headingPath == path)
    }

    @Test("are broken ones under another format's name", arguments: Self.files)
    func wrongExtension(_ file: String, _ format: Extraction.Format) throws {
        let bytes = try SampleDocument.bytes(file)
        for other in Self.files.map(\.1) where other != format {
            #expect(throws: ExtractionFailure.corrupt, "\(file) as \(other)") {
                try Extraction.extract(bytes, as: other, limits: ReadingLimits()).blocks.count
            }
        }
    }

    @Test("give text or a typed error when their end is missing", arguments: Self.files)
    func truncated(_ file: String, _ format: Extraction.Format) throws {
        let bytes = try SampleDocument.bytes(file)
        for part in 0..<20 {
            let beginning = Array(bytes.prefix(bytes.count * part / 20))
            #expect(throws: ExtractionFailure.corrupt, "\(part)/20 of \(file)") {
                try Extraction.extract(beginning, as: format, limits: ReadingLimits()).blocks.count
            }
        }
    }

    private static let files: [(String, Extraction.Format)] = [
        ("rules.docx", .docx), ("rules.odt", .odt), ("meters.xlsx", .xlsx), ("meters.ods", .ods),
        ("assembly.pptx", .pptx), ("assembly.odp", .odp), ("guide.epub", .epub),
    ]
}
