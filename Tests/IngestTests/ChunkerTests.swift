import Domain
import Testing
import TextAnalysis

@testable import Ingest

@Suite("Chunker")
struct ChunkerTests {
    @Test("keeps every piece within the window and leaves no word out", arguments: [24, 64, 512])
    func coverage(_ window: Int) {
        let chunker = Chunker(windowTokenCount: window, sentences: sentences)
        for text in Self.texts {
            let extracted = ExtractedText(title: nil, blocks: Markdown.read(text).blocks)
            let pieces = chunker.pieces(of: extracted)
            var covered = Set<Int>()
            for piece in pieces {
                let chunk = extracted.text.slice(piece.range)
                #expect(TokenEstimate.of(chunk) <= chunker.tokenCountMax, "\(chunk)")
                #expect(chunk.first?.isWhitespace == false && chunk.last?.isWhitespace == false)
                covered.formUnion(piece.range)
            }
            for block in extracted.blocks {
                if case .heading = block.kind { continue }
                let utf8 = Array(extracted.text.utf8)
                let lost = block.range.filter { !covered.contains($0) && utf8[$0] > 0x20 }
                #expect(lost.isEmpty)
            }
        }
    }

    @Test("puts the headings above a piece into its path, and never crosses one")
    func headings() {
        let pieces = pieces(
            """
            # Guide

            ## Meters

            Read them monthly.

            ### Old ones

            Replace them.

            ## Empty

            ## Last

            End.
            """)
        #expect(
            pieces.map(\.path) == [
                ["Guide", "Meters"], ["Guide", "Meters", "Old ones"], ["Guide", "Empty"],
                ["Guide", "Last"],
            ])
        #expect(pieces.map(\.text) == ["Read them monthly.", "Replace them.", "Empty", "End."])
    }

    @Test("says a table's header again where the table is cut from it, and only there")
    func tableHeaders() throws {
        let rows = (1...40).map { "Row \($0) | \($0) kWh | \($0 * 3) euro" }
        var table = TextBlock(.table, (["Name | Energy | Price"] + rows).joined(separator: "\n"))
        table.tableHeader = "Name | Energy | Price"
        let extracted = ExtractedText(
            title: nil,
            blocks: [TextBlock(.heading(level: 1), "Bills"), table, TextBlock(.paragraph, "End.")])
        let chunker = Chunker(windowTokenCount: 128, sentences: sentences)
        let pieces = chunker.pieces(of: extracted)
        #expect(pieces.count > 3)
        #expect(pieces.first?.headingPath == ["Bills"])
        #expect(pieces.last?.headingPath == ["Bills"])
        for piece in pieces.dropFirst().dropLast() {
            #expect(piece.headingPath == ["Bills", "Name | Energy | Price"])
            let embedded = Chunk.embeddedText(
                extracted.text.slice(piece.range), headingPath: piece.headingPath)
            #expect(TokenEstimate.of(embedded) <= chunker.tokenCountMax + 2)
        }
    }

    @Test("gives every chunk the boxes of the lines it touches")
    func boxes() {
        func box(_ line: Int) -> LineBox {
            LineBox(left: 10, top: Double(line) * 12, width: 100, height: 10)
        }
        var first = TextBlock(.paragraph, "Line one of\nthe first. Line two\nof è it.", page: 1)
        first.lines = [box(0), box(1), box(2)]
        var second = TextBlock(.paragraph, "Another.", page: 1)
        second.lines = [box(5)]
        // A count that does not fit says nothing.
        var broken = TextBlock(.paragraph, "No\nplace.", page: 1)
        broken.lines = [box(9)]
        let text = ExtractedText(title: nil, blocks: [first, second, broken])
        let lines = LinePlaces(of: text)
        func boxes(of part: String) -> [LineBox] {
            guard let found = text.text.firstRange(of: part) else { return [] }
            let start = text.text.utf8Offset(of: found.lowerBound)
            return lines.boxes(in: start..<start + part.utf8.count)
        }
        #expect(boxes(of: "Line one") == [box(0)])
        #expect(boxes(of: "of\nthe first.") == [box(0), box(1)])
        #expect(boxes(of: "è it.\n\nAnother.") == [box(2), box(5)])
        #expect(boxes(of: "Another.") == [box(5)])
        #expect(boxes(of: "place.").isEmpty)
    }

    @Test("drops front matter but its title, and takes two rules for what they are")
    func frontMatter() {
        let titled = pieces("---\ntitle: \"The grid\"\nlayout: page\n---\n\n# Intro\n\nText.\n")
        #expect(titled.map(\.path) == [["The grid", "Intro"]])
        #expect(titled.map(\.text) == ["Text."])
        #expect(pieces("---\n\nJust prose\n\n---\n\nText.").map(\.text) == ["Just prose\n\nText."])
    }

    @Test("keeps tables, lists and fenced code together")
    func structure() {
        let markdown = """
            | Power | Tariff |
            |---|---|
            | 200 kW | 80 |

            - one
            - two

              still two
            - three

            ```swift
            # not a heading

            let a = 1
            ```
            """
        let blocks = Markdown.read(markdown).blocks
        #expect(blocks.map(\.kind) == [.table, .list, .code])
        #expect(blocks.last?.text == "```swift\n# not a heading\n\nlet a = 1\n```")
        let small = Chunker(windowTokenCount: 40, sentences: sentences)
            .pieces(of: ExtractedText(title: nil, blocks: blocks))
        #expect(small.count >= 2)
    }

    @Test("overlaps only where a sentence is cut")
    func overlap() {
        let chunker = Chunker(windowTokenCount: 40, sentences: sentences)
        let sentences = (1...20).map { "Sentence number \($0) is short." }.joined(separator: " ")
        let whole = chunker.pieces(
            of: ExtractedText(title: nil, blocks: [TextBlock(.paragraph, sentences)]))
        for (one, next) in zip(whole, whole.dropFirst()) {
            #expect(one.range.upperBound <= next.range.lowerBound)
        }
        let endless = (1...200).map { "word\($0)" }.joined(separator: " ")
        let cut = chunker.pieces(
            of: ExtractedText(title: nil, blocks: [TextBlock(.paragraph, endless)]))
        #expect(cut.count > 5)
        for (one, next) in zip(cut, cut.dropFirst()) {
            #expect(one.range.upperBound > next.range.lowerBound)
            #expect(one.range.lowerBound < next.range.lowerBound)
        }
    }

    @Test("cuts a piece that the model finds too long into smaller ones that cover it")
    func split() {
        let chunker = Chunker(windowTokenCount: 512, sentences: sentences)
        let text = String(repeating: "These are words of a sentence. ", count: 30)
        let extracted = ExtractedText(title: nil, blocks: [TextBlock(.paragraph, text)])
        for piece in chunker.pieces(of: extracted) {
            let parts = chunker.split(piece, of: extracted.text)
            #expect(parts.count >= 2)
            #expect(parts.first?.range.lowerBound == piece.range.lowerBound)
            #expect(parts.last?.range.upperBound == piece.range.upperBound)
        }
    }

    private func pieces(_ markdown: String) -> [(path: [String], text: String)] {
        let document = Markdown.read(markdown)
        let extracted = ExtractedText(title: document.title, blocks: document.blocks)
        return Chunker(windowTokenCount: 512, sentences: sentences).pieces(of: extracted)
            .map { ($0.headingPath, extracted.text.slice($0.range)) }
    }

    private let sentences: @Sendable (String) -> [Range<String.Index>] = {
        Analyser.sentences(in: $0)
    }

    private static let texts = [
        "", "   \n\n \t", "One.", "# Only a heading", "#\n\n##\n\ntext",
        "La comunità energetica è un soggetto di diritto. Ogni membro paga 25 €! Perché? Perché sì.",
        String(repeating: "Energia condivisa 👩🏽‍🔧 e\u{301} ", count: 300),
        String(repeating: "x", count: 5_000),
        String(repeating: "共同体能源", count: 400) + "。" + String(repeating: "分享。", count: 90),
        (1...80).map { "- item \($0) of a list that goes on" }.joined(separator: "\n"),
        "| a | b |\n|---|---|\n" + (1...60).map { "| row \($0) | 1.5 |" }.joined(separator: "\n"),
        "```\n" + String(repeating: "let a = f(x, y, z) // 12345\n", count: 60) + "```",
        "# " + String(repeating: "very long heading ", count: 60) + "\n\ntext below it",
    ]
}
