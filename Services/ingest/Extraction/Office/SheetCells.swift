import Markup

/// The cells of one sheet of an XLSX. An empty row ends a table.
struct SheetCells {
    private let reader: XMLReader
    private let strings: [String]
    private let formats: CellFormats
    private let isFrom1904: Bool
    private var table: TableText
    /// Of the last row that held something.
    private var lastRow = 0

    init(
        _ reader: XMLReader, strings: [String], formats: CellFormats, isFrom1904: Bool,
        limits: ReadingLimits
    ) {
        self.reader = reader
        self.strings = strings
        self.formats = formats
        self.isFrom1904 = isFrom1904
        table = TableText(limits: limits)
    }

    mutating func read(
        named name: String, into list: inout BlockList
    ) throws(ExtractionFailure) {
        try list.append(.heading(level: 1), name.onOneLine)
        guard try reader.readRoot() == "worksheet" else { throw .corrupt }
        try reader.forEachElement { name throws(ExtractionFailure) in
            if name == "sheetData" { try readRows(into: &list) }
        }
        try table.flush(into: &list, isSpreadsheet: true)
    }

    private mutating func readRows(into list: inout BlockList) throws(ExtractionFailure) {
        var number = 0
        try reader.forEachElement { _ throws(ExtractionFailure) in
            number = reader.attribute("r").flatMap { Int($0) } ?? number &+ 1
            let row = try readRow()
            guard !row.isEmpty else { return }
            if number &- lastRow > 1 { try table.flush(into: &list, isSpreadsheet: true) }
            lastRow = number
            table.startRow()
            for cell in row { try table.setCell(cell.text, column: cell.column) }
        }
    }

    private func readRow() throws(ExtractionFailure) -> [(column: Int, text: String)] {
        var cells: [(column: Int, text: String)] = []
        var column = -1
        try reader.forEachElement { name throws(ExtractionFailure) in
            guard name == "c" else { return }
            column = Self.column(reader.attribute("r") ?? "") ?? column + 1
            let text = try readCell()
            if !text.isEmpty { cells.append((column, text)) }
        }
        return cells
    }

    private func readCell() throws(ExtractionFailure) -> String {
        let type = reader.attribute("t") ?? "n"
        let style = reader.attribute("s").flatMap { Int($0) } ?? 0
        var text = ""
        try reader.forEachElement { name throws(ExtractionFailure) in
            switch name {
            case "v": text = shown(try reader.readText().onOneLine, type: type, style: style)
            case "is": text = try SharedStrings.text(reader)
            default: break
            }
        }
        return text
    }

    private func shown(_ value: String, type: String, style: Int) -> String {
        switch type {
        case "s":
            guard let index = Int(value), strings.indices.contains(index) else { return "" }
            return strings[index]
        case "b": return value == "1" ? "TRUE" : "FALSE"
        case "n":
            guard let number = Double(value) else { return value }
            return formats.format(style).text(number, isFrom1904: isFrom1904)
        // Texts of formulas, dates in ISO 8601, and errors as they are shown.
        default: return value
        }
    }

    /// `AB12` is in column 27; nil if it says none.
    private static func column(_ reference: String) -> Int? {
        var column = 0
        for letter in reference.utf8 {
            let letter = letter & 0xDF
            guard (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(letter) else { break }
            column = column * 26 + Int(letter - UInt8(ascii: "A")) + 1
            guard column <= TableText.columnCountMax else { return nil }
        }
        return column > 0 ? column - 1 : nil
    }
}
