import Domain

/// Makes headings, paragraphs, lists and tables of what stands on a document's pages.
struct PageStructure {
    private let pages: [PageLayout]
    private let sizes: LetterSizes

    init(_ pages: [PageLayout]) {
        self.pages = PageFurniture(pages).removed(from: pages)
        sizes = LetterSizes(self.pages)
    }

    var blocks: [TextBlock] {
        pages.flatMap { page in
            PageTables.joined(page.blocks).map { part in
                switch part {
                case .table(let rows): table(rows, on: page)
                case .block(let block): text(block, on: page)
                }
            }
        }
    }

    private func text(_ block: PageLayout.Block, on page: PageLayout) -> TextBlock {
        if let level = page.isRecognised ? nil : sizes.headingLevel(of: block) {
            let line = PageLayout.Line(
                text: block.lines.map(\.text).joined(separator: " "),
                box: LineBox(around: block.lines))
            return made(.heading(level: level), [line], on: page)
        }
        let lines = LineEnds.joined(block.lines)
        let isList = lines.first.map { Self.isItem($0.text) } ?? false
        return made(isList ? .list : .paragraph, lines, on: page)
    }

    private func table(_ rows: [PageLayout.Line], on page: PageLayout) -> TextBlock {
        var block = made(.table, rows, on: page)
        block.tableHeader = rows.first?.text
        return block
    }

    private func made(
        _ kind: TextBlock.Kind, _ lines: [PageLayout.Line], on page: PageLayout
    ) -> TextBlock {
        var block = TextBlock(
            kind, lines.map(\.text).joined(separator: "\n"), page: page.number)
        block.lines = lines.map(\.box.rounded)
        return block
    }

    private static func isItem(_ line: String) -> Bool {
        let marks: Set<Character> = ["•", "◦", "▪", "●", "○", "■", "‣", "–", "-", "*"]
        guard let first = line.first, marks.contains(first) else { return false }
        return line.dropFirst().first == " "
    }
}

extension DocumentBlocks {
    init(title: String?, pages: [PageLayout]) {
        self.init(title: title, blocks: PageStructure(pages).blocks)
    }
}

extension LineBox {
    /// The smallest that holds them all.
    init(around lines: [PageLayout.Line]) {
        let left = lines.map(\.box.left).min() ?? 0
        let top = lines.map(\.box.top).min() ?? 0
        let right = lines.map { $0.box.left + $0.box.width }.max() ?? 0
        let bottom = lines.map { $0.box.top + $0.box.height }.max() ?? 0
        self.init(left: left, top: top, width: right - left, height: bottom - top)
    }

    /// To a tenth of a point: nobody sees less, and numbers are short.
    fileprivate var rounded: LineBox {
        func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }
        return LineBox(
            left: tenths(left), top: tenths(top), width: tenths(width), height: tenths(height))
    }
}

/// Words that a line's end divides are made whole, on the line they begin on.
enum LineEnds {
    private static let hyphens: Set<Character> = ["-", "\u{AD}", "\u{2010}"]

    static func joined(_ lines: [PageLayout.Line]) -> [PageLayout.Line] {
        var result: [PageLayout.Line] = []
        for line in lines {
            var text = line.text[...]
            if let last = result.last?.text, continues(last, with: text) {
                let rest = text.prefix { $0 != " " }
                text = text.dropFirst(rest.count).drop { $0 == " " }
                result[result.count - 1].text = String(last.dropLast() + rest)
            }
            if text.isEmpty { continue }
            result.append(PageLayout.Line(text: String(text), box: line.box))
        }
        return result
    }

    private static func continues(_ line: String, with next: Substring) -> Bool {
        guard let hyphen = line.last, hyphens.contains(hyphen), let first = next.first else {
            return false
        }
        return first.isLowercase && line.dropLast().last?.isLetter == true
    }
}

/// The sizes that a document's letters have: what is larger than most is a heading.
private struct LetterSizes {
    /// How much larger than the body a heading is at least.
    private static let headingRatio = 1.15
    private static let headingLineCountMax = 3
    private static let headingLengthMax = 200
    private static let levelCountMax = 6

    /// In points, of most letters.
    private let body: Double
    /// Those of headings, the largest first.
    private let larger: [Double]

    init(_ pages: [PageLayout]) {
        var counts: [Double: Int] = [:]
        for page in pages where !page.isRecognised {
            for line in page.blocks.flatMap(\.lines) {
                counts[Self.rounded(line.box.height), default: 0] += line.text.utf8.count
            }
        }
        let body = counts.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key ?? 0
        self.body = body
        larger = counts.keys.filter { $0 >= body * Self.headingRatio }.sorted(by: >)
    }

    func headingLevel(of block: PageLayout.Block) -> Int? {
        let length = block.lines.reduce(0) { $0 + $1.text.count }
        guard body > 0, block.lines.count <= Self.headingLineCountMax,
            length <= Self.headingLengthMax,
            block.lines.contains(where: { $0.text.contains(where: \.isLetter) }),
            let size = block.lines.map({ Self.rounded($0.box.height) }).min(),
            let rank = larger.firstIndex(of: size)
        else { return nil }
        return min(rank + 1, Self.levelCountMax)
    }

    /// To half points: lines of one size differ by less.
    private static func rounded(_ height: Double) -> Double { (height * 2).rounded() / 2 }
}
