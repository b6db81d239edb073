/// The paragraphs of a rich text on their way to become blocks.
struct RichTextBlocks {
    private var blocks: [TextBlock] = []
    private var paragraph = ""
    /// 1-based, as the format's outline levels are 0-based; nil in body text.
    private var headingLevel: Int?
    private var isItem = false
    private var isInTable = false
    private var items: [String] = []
    private var cells: [String] = []
    private var rows: [[String]] = []

    /// A list item's label says that it is one; which bullet it has is of no use.
    mutating func append(_ piece: String, isLabel: Bool) {
        if isLabel { isItem = true } else { paragraph += piece }
    }

    mutating func take(_ word: String, _ number: Int?) {
        switch word {
        case "par", "sect", "page", "column": endParagraph()
        case "pard":
            headingLevel = nil
            isInTable = false
        case "outlinelevel": headingLevel = number.map { min(max($0, 0), 8) + 1 }
        case "intbl": isInTable = true
        case "cell", "nestcell": endCell()
        case "row", "nestrow": endRow()
        default: break
        }
    }

    mutating func finish() -> [TextBlock] {
        endParagraph()
        endRow()
        endTable()
        endList()
        return blocks
    }

    private mutating func endParagraph() {
        if isInTable {
            paragraph += " "
            return
        }
        let text = takeParagraph()
        defer { isItem = false }
        guard !text.isEmpty else { return }
        endTable()
        if isItem {
            items.append("- \(text)")
            return
        }
        endList()
        blocks.append(TextBlock(headingLevel.map { .heading(level: $0) } ?? .paragraph, text))
    }

    private mutating func endCell() {
        cells.append(takeParagraph())
        isItem = false
    }

    private mutating func endRow() {
        guard !cells.isEmpty else { return }
        endList()
        rows.append(cells)
        cells = []
    }

    private mutating func endTable() {
        blocks += SeparatedValues.table(of: rows)
        rows = []
    }

    private mutating func endList() {
        if !items.isEmpty { blocks.append(TextBlock(.list, items.joined(separator: "\n"))) }
        items = []
    }

    /// Its lines without the white space at their ends.
    private mutating func takeParagraph() -> String {
        defer { paragraph = "" }
        let lines = paragraph.split(separator: "\n").map(\.withoutTrailingSpace)
        return PlainText.joined(lines.filter { !$0.isBlank }).withoutLeadingSpace
    }
}
