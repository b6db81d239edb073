/// The paragraphs of a rich text on their way to become blocks.
struct RichTextBlocks {
    /// Where a piece of text belongs.
    enum Place {
        case text
        /// A list item's label says that it is one; which bullet it has is of no use.
        case label
        case note
    }

    private var flow: TextFlow
    private var paragraph = InlineText()
    private var note = InlineText()
    /// Of the paragraph.
    private var notes: [String] = []
    /// 1-based, as the format's outline levels are 0-based; nil in body text.
    var headingLevel: Int?
    private var itemDepth = 0
    private var isItem = false
    private var isInTable = false
    private var isTableOpen = false
    private var cells: [String] = []
    /// Where the row's cells end on the page, and where those of the table's first row do.
    private var edges: [Int] = []
    private var tableEdges: [Int] = []

    init(limits: ReadingLimits) { flow = TextFlow(limits: limits) }

    mutating func append(_ piece: String, to place: Place) {
        switch place {
        case .label: isItem = true
        case .note: note.append(piece)
        case .text:
            for (number, line) in piece.split(
                separator: "\n", omittingEmptySubsequences: false
            ).enumerated() {
                if number > 0 { paragraph.breakLine() }
                paragraph.append(String(line))
            }
        }
    }

    /// What a word of the format says about paragraphs, at this place.
    mutating func take(
        _ word: String, _ number: Int?, at place: Place
    ) throws(ExtractionFailure) {
        // A note's paragraphs are one, and a label has none.
        guard place == .text else {
            if place == .note { note.space() }
            return
        }
        switch word {
        case "par", "sect", "page", "column": try endParagraph()
        case "pard":
            headingLevel = nil
            itemDepth = 0
            isInTable = false
        case "outlinelevel": headingLevel = number.flatMap(Self.headingLevel)
        case "ilvl": itemDepth = max(0, number ?? 0)
        case "intbl": isInTable = true
        case "trowd": edges = []
        case "cellx":
            if edges.count < TableText.columnCountMax { edges.append(number ?? 0) }
        case "cell", "nestcell":
            let text = paragraph.take()
            if cells.count < TableText.columnCountMax { cells.append(text) }
            isItem = false
        case "row", "nestrow": try endRow()
        default: break
        }
    }

    /// From the format's, which counts from 0 and has 9 for body text.
    static func headingLevel(_ outlineLevel: Int) -> Int? {
        (0...8).contains(outlineLevel) ? outlineLevel + 1 : nil
    }

    mutating func endNote() {
        let text = note.take()
        if !text.isEmpty { notes.append(text) }
    }

    mutating func finish() throws(ExtractionFailure) -> [TextBlock] {
        isInTable = false
        try endParagraph()
        try endRow()
        try endTable()
        return try flow.finish()
    }

    private mutating func endParagraph() throws(ExtractionFailure) {
        if isInTable {
            paragraph.space()
            return
        }
        let text = paragraph.take()
        defer {
            isItem = false
            notes = []
        }
        guard !text.isEmpty else { return }
        try endTable()
        let role: TextFlow.Role =
            if let headingLevel {
                .heading(level: headingLevel)
            } else if isItem { .item(depth: itemDepth) } else { .paragraph }
        try flow.append(text, as: role, notes: notes)
    }

    private mutating func endRow() throws(ExtractionFailure) {
        guard !cells.isEmpty else { return }
        if !isTableOpen {
            try flow.startTable()
            tableEdges = edges.sorted()
        }
        isTableOpen = true
        flow.startRow()
        for (place, cell) in cells.enumerated() {
            flow.startCell(columnSpan: columnSpan(ofCell: place))
            try flow.append(cell, as: .paragraph)
            try flow.endCell()
        }
        cells = []
    }

    /// How many columns of the table's first row end within the cell.
    private func columnSpan(ofCell place: Int) -> Int {
        guard edges.indices.contains(place) else { return 1 }
        let before = place > 0 ? columnCount(endingBy: edges[place - 1]) : 0
        return max(1, columnCount(endingBy: edges[place]) - before)
    }

    /// Columns of the table's first row that end there or before.
    private func columnCount(endingBy edge: Int) -> Int {
        var range = 0..<tableEdges.count
        while !range.isEmpty {
            let middle = (range.lowerBound + range.upperBound) / 2
            range =
                tableEdges[middle] <= edge
                ? (middle + 1)..<range.upperBound : range.lowerBound..<middle
        }
        return range.lowerBound
    }

    private mutating func endTable() throws(ExtractionFailure) {
        if isTableOpen { try flow.endTable() }
        isTableOpen = false
    }
}
