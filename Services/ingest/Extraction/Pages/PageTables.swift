import Domain

/// Finds tables among the blocks of a page: cells that stand side by side, row below row.
enum PageTables {
    enum Part: Hashable {
        /// Rows with their cells divided by bars.
        case table([PageLayout.Line])
        case block(PageLayout.Block)
    }

    private static let divider = " | "
    /// In letters. What is longer is no cell; nor are the lines of a text in columns, which stand
    /// side by side too, but are longer than most cells.
    private static let cellLengthMax = 60
    private static let columnCellLengthMax = 24

    private static let columnCountMax = 30

    static func joined(_ blocks: [PageLayout.Block]) -> [Part] {
        var parts: [Part] = []
        var place = 0
        while place < blocks.count {
            if let (end, rows) = table(at: place, in: blocks) {
                parts.append(.table(rows.map(joined)))
                place = end
            } else {
                parts.append(.block(blocks[place]))
                place += 1
            }
        }
        return parts
    }

    private typealias Row = [PageLayout.Line]

    /// Two or more rows of as many cells, and where the blocks go on after them.
    private static func table(
        at start: Int, in blocks: [PageLayout.Block]
    ) -> (end: Int, rows: [Row])? {
        var rows: [Row] = []
        var end = start
        while let found = self.rows(at: end, in: blocks),
            found.rows.first?.count == (rows.first ?? found.rows.first)?.count
        {
            rows += found.rows
            end = found.end
        }
        return rows.count >= 2 ? (end, rows) : nil
    }

    /// Neighbours that stand side by side, each further to the right, line by line at one height.
    private static func rows(
        at start: Int, in blocks: [PageLayout.Block]
    ) -> (end: Int, rows: [Row])? {
        var end = start
        while end < blocks.count, end - start < columnCountMax, isMadeOfCells(blocks[end]),
            end == start || isBeside(blocks[end], blocks[end - 1])
        {
            end += 1
        }
        guard end - start >= 2 else { return nil }
        let rows = blocks[start].lines.indices.map { line in
            blocks[start..<end].map { $0.lines[line] }
        }
        return (end, rows)
    }

    private static func isMadeOfCells(_ block: PageLayout.Block) -> Bool {
        let lengthMax = block.lines.count == 1 ? cellLengthMax : columnCellLengthMax
        return block.lines.allSatisfy { $0.text.count <= lengthMax }
    }

    private static func isBeside(_ right: PageLayout.Block, _ left: PageLayout.Block) -> Bool {
        guard right.lines.count == left.lines.count else { return false }
        return zip(right.lines, left.lines).allSatisfy { right, left in
            right.box.left >= left.box.left + left.box.width
                && abs(right.box.top - left.box.top) < min(right.box.height, left.box.height) / 2
        }
    }

    private static func joined(_ cells: [PageLayout.Line]) -> PageLayout.Line {
        PageLayout.Line(
            text: cells.map(\.text).joined(separator: divider), box: LineBox(around: cells))
    }
}
