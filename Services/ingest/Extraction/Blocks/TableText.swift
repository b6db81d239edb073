/// A table's cells as they come in, and its lines: a row each, cells divided by ` | `.
///
/// Only cells that hold something are kept, so an empty million costs nothing; columns that are
/// empty in every row are left out.
struct TableText {
    struct Row {
        var cells: [(column: Int, text: String)] = []
        var isHeader = false
    }

    private(set) var rows: [Row] = []
    private var column = 0
    /// Columns that a cell of a row above reaches into, and the first row it does not.
    private var reaching: [Int: Int] = [:]
    private let textByteCountMax: Int
    private var textByteCount = 0

    /// As many columns as a spreadsheet has at most.
    static let columnCountMax = 16_384
    /// Web pages may ask for more (HTML's own maximum is 1000): nobody reads such tables.
    private static let spanMax = 256

    init(limits: ReadingLimits) { textByteCountMax = limits.textByteCountMax }

    mutating func startRow(isHeader: Bool = false) {
        rows.append(Row(isHeader: isHeader))
        column = 0
    }

    /// The next cell of the last row.
    mutating func appendCell(
        _ text: String, columnSpan: Int = 1, rowSpan: Int = 1
    ) throws(ExtractionFailure) {
        while let end = reaching[column], end >= rows.count { column += 1 }
        try setCell(text, column: column)
        let end = min(column + min(max(1, columnSpan), Self.spanMax), Self.columnCountMax)
        if rowSpan > 1 {
            for spanned in column..<max(column, end) {
                reaching[spanned] = rows.count - 1 + min(rowSpan, Self.spanMax)
            }
        }
        column = max(column, end)
    }

    /// A cell of the last row, to the right of those it has.
    mutating func setCell(_ text: String, column: Int) throws(ExtractionFailure) {
        guard !text.isEmpty, column < Self.columnCountMax else { return }
        if rows.isEmpty { startRow() }
        textByteCount += text.utf8.count + 3
        guard textByteCount <= textByteCountMax else { throw .tooMuchText }
        rows[rows.count - 1].cells.append((column, text.onOneLine))
    }

    /// Puts the rows at the end of the list, and begins anew.
    ///
    /// Rows of one cell before the first wider one are its captions. Without a wider one it is no
    /// table but a way to place things on a page: its cells are paragraphs, unless they are many
    /// in a spreadsheet, where one column is a table too.
    mutating func flush(
        into blocks: inout BlockList, isSpreadsheet: Bool = false
    ) throws(ExtractionFailure) {
        var rows = self.rows.filter { !$0.cells.isEmpty }[...]
        self = TableText(rows: [], textByteCountMax: textByteCountMax)
        let isTable = rows.contains { $0.cells.count > 1 }
        if isTable || !isSpreadsheet || rows.count == 1 {
            while let first = rows.first, first.cells.count == 1, !isTable || !first.isHeader {
                try blocks.append(.paragraph, first.cells[0].text)
                rows.removeFirst()
            }
        }
        guard !rows.isEmpty else { return }
        let lines = try Self.lines(of: rows, byteCountMax: textByteCountMax)
        let header = lines.prefix(Self.headerCount(rows)).joined(separator: "\n")
        try blocks.append(
            .table, lines.joined(separator: "\n"), tableHeader: header.isEmpty ? nil : header)
    }

    private init(rows: [Row], textByteCountMax: Int) {
        self.rows = rows
        self.textByteCountMax = textByteCountMax
    }

    /// Rows said to be the header, else the first. A table of one row has none.
    private static func headerCount(_ rows: ArraySlice<Row>) -> Int {
        let marked = rows.prefix(while: \.isHeader).count
        return rows.count > max(1, marked) ? max(1, marked) : 0
    }

    private static func lines(
        of rows: ArraySlice<Row>, byteCountMax: Int
    ) throws(ExtractionFailure) -> [String] {
        let columns = Set(rows.lazy.flatMap { $0.cells.lazy.map(\.column) }).sorted()
        var places: [Int: Int] = [:]
        for (place, column) in columns.enumerated() { places[column] = place }
        var lines: [String] = []
        var byteCount = 0
        for row in rows {
            let line = line(row, places: places)
            // A few cells far apart in each of many rows: the gaps are more than the text.
            byteCount += line.utf8.count
            guard byteCount <= byteCountMax else { throw .tooMuchText }
            lines.append(line)
        }
        return lines
    }

    private static func line(_ row: Row, places: [Int: Int]) -> String {
        var line = ""
        var place = 0
        for cell in row.cells {
            let next = places[cell.column] ?? place
            while place < next {
                line += line.isEmpty ? "|" : " |"
                place += 1
            }
            line += line.isEmpty ? cell.text : " " + cell.text
        }
        return line
    }
}
