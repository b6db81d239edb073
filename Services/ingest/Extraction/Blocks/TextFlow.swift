/// What a text is made of, told by a reader as it comes upon it, made into blocks.
struct TextFlow {
    /// What a paragraph of the document is.
    enum Role: Hashable {
        case heading(level: Int)
        case paragraph
        /// 0 is an item of an outermost list.
        case item(depth: Int)
        /// A further paragraph of the item before it.
        case itemContinued(depth: Int)
        /// White space is kept.
        case code
    }

    private struct OpenTable {
        var text: TableText
        var cell: OpenCell?
        /// It only places things on the page: what is in it flows.
        var isLayout = false
    }

    private struct OpenCell {
        let columnSpan: Int
        let rowSpan: Int
        var text = InlineText()
    }

    private var list: BlockList
    private let limits: ReadingLimits
    /// The innermost last.
    private var tables: [OpenTable] = []
    /// Of items and cells: they follow when the list or the table is over.
    private var notes: [String] = []

    init(limits: ReadingLimits) {
        self.limits = limits
        list = BlockList(limits: limits)
    }

    /// Of the slide that is being read.
    mutating func startPage(_ page: Int) throws(ExtractionFailure) {
        try endNotes()
        list.page = page
    }

    /// - Parameter notes: footnotes that the paragraph refers to.
    mutating func append(
        _ text: String, as role: Role, notes: [String] = []
    ) throws(ExtractionFailure) {
        if tables.last?.cell != nil {
            appendToCell(text)
            self.notes += notes
            return
        }
        switch role {
        case .item(let depth):
            try list.appendItem(text, depth: depth)
            self.notes += notes
            return
        case .itemContinued(let depth):
            try list.continueItem(text, depth: depth)
            self.notes += notes
            return
        case .heading(let level):
            try endNotes()
            try list.append(.heading(level: level), text.onOneLine)
        case .paragraph:
            try endNotes()
            try list.append(.paragraph, text)
        case .code:
            try endNotes()
            try list.append(.code, text)
        }
        self.notes = notes
        try endNotes()
    }

    /// Blocks that were made elsewhere; they go to the page that is being read.
    mutating func append(_ blocks: [TextBlock]) throws(ExtractionFailure) {
        try endNotes()
        for block in blocks {
            try list.append(block.kind, block.text, tableHeader: block.tableHeader)
        }
    }

    /// What a table around it has so far comes before it.
    mutating func startTable() throws(ExtractionFailure) {
        try flushTable()
        tables.append(OpenTable(text: TableText(limits: limits)))
    }

    /// The innermost table turned out to hold what no table of facts does.
    mutating func takeTableForLayout() throws(ExtractionFailure) {
        try flushTable()
        guard let last = tables.indices.last else { return }
        tables[last].isLayout = true
        tables[last].cell = nil
    }

    private mutating func flushTable() throws(ExtractionFailure) {
        guard let last = tables.indices.last, !tables[last].isLayout else {
            try endNotes()
            return
        }
        try tables[last].text.flush(into: &list)
        let text = tables[last].cell?.text.take() ?? ""
        try list.append(.paragraph, text)
        tables[last].text.startRow()
    }

    mutating func startRow(isHeader: Bool = false) {
        guard let last = tables.indices.last, !tables[last].isLayout else { return }
        tables[last].text.startRow(isHeader: isHeader)
    }

    mutating func startCell(columnSpan: Int = 1, rowSpan: Int = 1) {
        guard let last = tables.indices.last, !tables[last].isLayout else { return }
        tables[last].cell = OpenCell(columnSpan: columnSpan, rowSpan: rowSpan)
    }

    mutating func endCell() throws(ExtractionFailure) {
        guard let last = tables.indices.last, var cell = tables[last].cell else { return }
        tables[last].cell = nil
        try tables[last].text.appendCell(
            cell.text.take(), columnSpan: cell.columnSpan, rowSpan: cell.rowSpan)
    }

    mutating func endTable() throws(ExtractionFailure) {
        guard var table = tables.popLast() else { return }
        try table.text.flush(into: &list)
        if tables.isEmpty { try endNotes() }
    }

    mutating func finish() throws(ExtractionFailure) -> [TextBlock] {
        while !tables.isEmpty { try endTable() }
        try endNotes()
        list.endList()
        return list.blocks
    }

    private mutating func appendToCell(_ text: String) {
        guard let last = tables.indices.last else { return }
        tables[last].cell?.text.space()
        tables[last].cell?.text.append(text)
    }

    private mutating func endNotes() throws(ExtractionFailure) {
        let notes = self.notes
        self.notes = []
        for note in notes { try list.append(.paragraph, "Note: \(note)") }
    }
}
