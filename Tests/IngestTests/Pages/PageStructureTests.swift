import Domain
import Testing

@testable import Ingest

@Suite("Page structure")
struct PageStructureTests {
    /// A page of lines: each a block of its own at a place.
    private func page(_ number: Int, _ blocks: [[(String, LineBox)]]) -> PageLayout {
        PageLayout(
            number: number, width: 600, height: 800,
            blocks: blocks.map { lines in
                PageLayout.Block(lines: lines.map { PageLayout.Line(text: $0.0, box: $0.1) })
            })
    }

    private func box(_ left: Double, _ top: Double, height: Double = 10) -> LineBox {
        LineBox(left: left, top: top, width: 100, height: height)
    }

    @Test("makes words whole that the end of a line divides, on the line they begin on")
    func hyphens() {
        let cases: [([String], [String])] = [
            (["energia rinno-", "vabile e altro"], ["energia rinnovabile", "e altro"]),
            (["rinno\u{AD}", "vabile"], ["rinnovabile"]),
            (["con-", "divi-", "dere"], ["condividere"]),
            // Not a divided word: a name, a dash, a number.
            (["Emilia-", "Romagna"], ["Emilia-", "Romagna"]),
            (["a dash -", "and more"], ["a dash -", "and more"]),
            (["2020-", "2021"], ["2020-", "2021"]),
        ]
        for (lines, expected) in cases {
            let made = lines.enumerated().map {
                PageLayout.Line(text: $1, box: box(0, Double($0)))
            }
            let joined = LineEnds.joined(made)
            #expect(joined.map(\.text) == expected)
            #expect(joined.first?.box.top == 0)
        }
    }

    @Test("drops what stands at the edge of most pages, numbers apart, and nothing else")
    func furniture() {
        let pages = (1...4).map { number in
            page(
                number,
                [
                    [("Rules of 2024", box(50, 20))], [("Body \(number)", box(50, 300))],
                    [("Same in the middle", box(50, 400))],
                    [("Page \(number) of 4", box(50, 780))],
                ] + (number == 2 ? [[("A note at the foot", box(50, 760))]] : []))
        }
        let texts = PageStructure(pages).blocks.map(\.text)
        #expect(
            texts == [
                "Body 1", "Same in the middle", "Body 2", "Same in the middle",
                "A note at the foot", "Body 3", "Same in the middle", "Body 4",
                "Same in the middle",
            ])
        // Two pages have nothing that most have.
        #expect(PageStructure(Array(pages.prefix(2))).blocks.count == 9)
    }

    @Test("takes what is larger than most letters for headings, by size")
    func headings() {
        let blocks = PageStructure([
            page(
                1,
                [
                    [("Title", box(50, 200, height: 20))], [("Part", box(50, 250, height: 14))],
                    [("Body that is longer than all of the headings", box(50, 300))],
                    [("12", box(50, 350, height: 20))],
                ])
        ]).blocks
        #expect(
            blocks.map(\.kind)
                == [.heading(level: 1), .heading(level: 2), .paragraph, .paragraph])
        // Recognition measures letters, not fonts.
        var scanned = page(
            1, [[("Title", box(50, 200, height: 20))], [("Body text", box(50, 300))]])
        scanned.isRecognised = true
        #expect(PageStructure([scanned]).blocks.map(\.kind) == [.paragraph, .paragraph])
    }

    @Test("finds tables among blocks side by side, and leaves columns of text alone")
    func tables() {
        let cells = PageStructure([
            page(
                1,
                [
                    [("Power", box(50, 100))], [("Tariff", box(200, 101))],
                    [("200 kW", box(50, 120))], [("80 euro", box(200, 120))],
                    [("After the table", box(50, 200))],
                ])
        ]).blocks
        #expect(cells.map(\.kind) == [.table, .paragraph])
        #expect(cells.first?.text == "Power | Tariff\n200 kW | 80 euro")
        #expect(cells.first?.tableHeader == "Power | Tariff")
        #expect(
            cells.first?.lines?.first == LineBox(left: 50, top: 100, width: 250, height: 11))
        let long = "a line of a column, longer than a cell"
        let columns = PageStructure([
            page(
                1,
                [
                    [(long, box(50, 100)), (long, box(50, 120))],
                    [(long, box(300, 100)), (long, box(300, 120))],
                ])
        ]).blocks
        #expect(columns.map(\.kind) == [.paragraph, .paragraph])
    }

    @Test("reads the table of places of both programs, and survives any bytes")
    func layoutTable() {
        let header = "level\tpage_num\tpar_num\tblock_num\tline_num\tword_num"
        func row(_ level: Int, _ text: String, confidence: Int = 100) -> String {
            "\(level)\t1\t0\t0\t0\t0\t1\t2\t30\t4\t\(confidence)\t\(text)"
        }
        let table = [
            header, row(1, "###PAGE###"), row(3, ""), row(4, ""), row(5, "one"),
            row(5, "spot", confidence: 12), row(5, "two"), row(4, ""), row(5, " "), "5\tbroken",
        ].joined(separator: "\n")
        let pages = LayoutTable.pages(Array(table.utf8))
        #expect(pages.count == 1)
        #expect(pages.first?.blocks.flatMap(\.lines).map(\.text) == ["one two"])
        #expect(
            pages.first?.blocks.first?.lines.first?.box
                == LineBox(left: 1, top: 2, width: 30, height: 4))
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            var bytes = Array(table.utf8)
            for _ in 0..<4 {
                bytes[Int.random(in: bytes.indices, using: &random)] = .random(in: 0...255)
            }
            _ = PageStructure(LayoutTable.pages(bytes)).blocks
        }
    }
}
