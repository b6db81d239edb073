import Markup

/// ODS: the sheets that are shown, as `WorkbookReader` has them. Cells read as they are shown, but
/// for dates, which the file also has in the form of ISO 8601.
struct SheetDocumentReader {
    private let reader: XMLReader
    private let styles: OpenDocumentStyles
    private let limits: ReadingLimits
    private var list: BlockList
    private var table: TableText
    private var sheetNumber = 0
    /// Of the sheet that is being read: rows so far, and the last one that held something.
    private var row = 0
    private var lastRow = 0

    private static let rowCountMax = 1 << 20

    static func read(
        _ bytes: [UInt8], limits: ReadingLimits
    ) throws(ExtractionFailure) -> DocumentBlocks {
        let package = try OpenDocumentPackage(bytes, limits: limits)
        var sheets = SheetDocumentReader(
            reader: try package.contentReader(), styles: try package.styles(), limits: limits,
            list: BlockList(limits: limits), table: TableText(limits: limits))
        try sheets.readSheets()
        return DocumentBlocks(title: try package.title(), blocks: sheets.list.blocks)
    }

    private mutating func readSheets() throws(ExtractionFailure) {
        try reader.forEachBody(of: "spreadsheet") { () throws(ExtractionFailure) in
            try reader.forEachElement { name throws(ExtractionFailure) in
                guard name == "table" else { return }
                sheetNumber += 1
                guard sheetNumber <= limits.pageCountMax else { throw .tooManyPages }
                if !styles.isHidden(reader.attribute("style-name") ?? "") { try readSheet() }
            }
        }
    }

    private mutating func readSheet() throws(ExtractionFailure) {
        list.page = sheetNumber
        row = 0
        lastRow = 0
        try list.append(.heading(level: 1), (reader.attribute("name") ?? "").onOneLine)
        try readRows()
        try table.flush(into: &list, isSpreadsheet: true)
    }

    /// Rows may be grouped, for printing and for folding.
    private mutating func readRows() throws(ExtractionFailure) {
        try reader.forEachElement { name throws(ExtractionFailure) in
            switch name {
            case "table-row": try readRow()
            case "table-rows", "table-header-rows", "table-row-group": try readRows()
            default: break
            }
        }
    }

    private mutating func readRow() throws(ExtractionFailure) {
        let count = repetition("number-rows-repeated", upTo: Self.rowCountMax - row)
        let cells = try readCells()
        guard !cells.isEmpty else {
            row += count
            return
        }
        for _ in 0..<count {
            row += 1
            if row - lastRow > 1 { try table.flush(into: &list, isSpreadsheet: true) }
            lastRow = row
            table.startRow()
            for cell in cells { try table.setCell(cell.text, column: cell.column) }
        }
    }

    private func readCells() throws(ExtractionFailure) -> [(column: Int, text: String)] {
        var cells: [(column: Int, text: String)] = []
        var column = 0
        try reader.forEachElement { name throws(ExtractionFailure) in
            guard name == "table-cell" || name == "covered-table-cell" else { return }
            let count = repetition(
                "number-columns-repeated", upTo: TableText.columnCountMax - column)
            let text = name == "table-cell" ? try readCell() : ""
            if !text.isEmpty {
                for column in column..<(column + count) { cells.append((column, text)) }
            }
            column += count
        }
        return cells
    }

    private func readCell() throws(ExtractionFailure) -> String {
        let date = reader.attribute("date-value")
        var text = InlineText()
        try reader.forEachElement { name throws(ExtractionFailure) in
            guard name == "p" else { return }
            text.space()
            try readParagraph(into: &text)
        }
        return date.map(Self.shown) ?? text.take()
    }

    private func readParagraph(into text: inout InlineText) throws(ExtractionFailure) {
        try reader.forEachChild { child throws(ExtractionFailure) in
            switch child {
            case .text(let run): text.append(run)
            case .element("s"), .element("tab"), .element("line-break"): text.space()
            case .element("annotation"), .element("ruby-text"): break
            case .element: try readParagraph(into: &text)
            }
        }
    }

    /// As in the rest of what we read: a space before the time, and no time at midnight.
    private static func shown(_ date: String) -> String {
        let parts = date.split(separator: "T", maxSplits: 1)
        guard parts.count == 2 else { return date.onOneLine }
        let time = parts[1].prefix { $0 != "." }
        if time == "00:00:00" { return String(parts[0]).onOneLine }
        return "\(parts[0]) \(time.hasSuffix(":00") ? time.dropLast(3) : time)".onOneLine
    }

    private func repetition(_ name: String, upTo countMax: Int) -> Int {
        let count = reader.attribute(name).flatMap { Int($0) } ?? 1
        return max(0, min(count, countMax))
    }
}
