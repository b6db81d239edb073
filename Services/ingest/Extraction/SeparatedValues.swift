/// Tables as text: CSV (RFC 4180, with whatever separator it is written with) and TSV.
struct SeparatedValues {
    private let separator: Unicode.Scalar
    private var scalars: String.UnicodeScalarView.Iterator
    private var row: [String] = []
    private var cell = String.UnicodeScalarView()
    private var isOver = false

    /// - Parameter separator: nil to find it out.
    static func read(
        _ text: String, separator: Unicode.Scalar?, limits: ReadingLimits
    ) throws(ExtractionFailure) -> DocumentBlocks {
        var reader = SeparatedValues(
            text, separator: separator ?? Self.separator(of: text) ?? ",")
        var list = BlockList(limits: limits)
        var table = TableText(limits: limits)
        // As in a spreadsheet: an empty row ends a table.
        while let row = reader.nextRow() {
            guard row.contains(where: { !Substring($0).isBlank }) else {
                try table.flush(into: &list, isSpreadsheet: true)
                continue
            }
            table.startRow()
            for (column, cell) in row.enumerated() {
                try table.setCell(cell.onOneLine, column: column)
            }
        }
        try table.flush(into: &list, isSpreadsheet: true)
        return DocumentBlocks(title: nil, blocks: list.blocks)
    }

    private init(_ text: String, separator: Unicode.Scalar) {
        self.separator = separator
        scalars = text.unicodeScalars.makeIterator()
    }

    /// A quote that never ends holds the rest of the file.
    private mutating func nextRow() -> [String]? {
        guard !isOver else { return nil }
        var isQuoted = false
        var isAfterQuote = false
        while let scalar = scalars.next() {
            if isQuoted {
                if scalar == "\"" { (isQuoted, isAfterQuote) = (false, true) } else { take(scalar) }
                continue
            }
            switch scalar {
            case "\"" where isAfterQuote:
                // Two quotes in a quoted cell are one.
                take(scalar)
                isQuoted = true
            case "\"" where cell.isEmpty: isQuoted = true
            case separator: endCell()
            case "\n": return takeRow()
            default: take(scalar)
            }
            isAfterQuote = false
        }
        isOver = true
        return takeRow()
    }

    private mutating func takeRow() -> [String] {
        endCell()
        defer { row = [] }
        return row
    }

    private mutating func take(_ scalar: Unicode.Scalar) { cell.append(scalar) }

    private mutating func endCell() {
        row.append(String(cell))
        cell.removeAll(keepingCapacity: true)
    }

    private static let separators: [Unicode.Scalar] = [";", "\t", ",", "|"]
    private static let sampleLineCount = 20

    /// The one that divides the first lines into the same number of cells, two or more.
    private static func separator(of text: String) -> Unicode.Scalar? {
        let lines = text.split(separator: "\n", maxSplits: sampleLineCount).prefix(sampleLineCount)
        let scored = separators.compactMap { separator -> (Unicode.Scalar, Int)? in
            var byCount: [Int: Int] = [:]
            for line in lines { byCount[count(of: separator, in: line), default: 0] += 1 }
            byCount[0] = nil
            guard let agreeing = byCount.values.max() else { return nil }
            return (separator, agreeing)
        }
        // The first of those that do equally well: a comma is also in the numbers of a table.
        let most = scored.map(\.1).max()
        return scored.first { $0.1 == most }?.0
    }

    /// Outside quotes.
    private static func count(of separator: Unicode.Scalar, in line: Substring) -> Int {
        var count = 0
        var isQuoted = false
        for scalar in line.unicodeScalars {
            if scalar == "\"" {
                isQuoted.toggle()
            } else if scalar == separator, !isQuoted {
                count += 1
            }
        }
        return count
    }
}
