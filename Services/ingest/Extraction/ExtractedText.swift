import Domain

/// What extraction makes of a document: its pieces in reading order, as one text with places.
struct ExtractedText: Sendable, Hashable {
    /// A title the document states about itself, outside its text.
    let title: String?
    /// The revision's text; blocks are divided by an empty line.
    private(set) var text = ""
    private(set) var blocks: [Placed] = []

    struct Placed: Sendable, Hashable {
        let kind: TextBlock.Kind
        /// In bytes of the text's UTF-8.
        let range: Range<Int>
        let page: Int?
        let tableHeader: String?
        let lines: [LineBox]
    }

    init(title: String?, blocks: [TextBlock]) {
        self.title = title
        for block in blocks { append(block) }
    }

    mutating func append(_ block: TextBlock) {
        let whole = block.text.startIndex..<block.text.endIndex
        guard let trimmed = block.text.trimmed(whole) else { return }
        if !text.isEmpty { text += "\n\n" }
        let start = text.utf8.count
        text += block.text[trimmed]
        blocks.append(
            Placed(
                kind: block.kind, range: start..<text.utf8.count, page: block.page,
                tableHeader: block.tableHeader, lines: block.lines ?? []))
    }
}

/// One piece of structure. What the extraction's child writes, a line of JSON each.
struct TextBlock: Sendable, Hashable, Codable {
    enum Kind: Sendable, Hashable, Codable {
        /// 1 is the outermost.
        case heading(level: Int)
        case paragraph
        /// Items begin lines.
        case list
        /// Rows are lines.
        case table
        /// Kept together where it fits.
        case code

        /// Whether its lines are its pieces, rather than its sentences.
        var isMadeOfLines: Bool { self == .list || self == .table || self == .code }
    }

    let kind: Kind
    /// Begins and ends with no white space.
    let text: String
    /// 1-based page, slide or sheet; nil where the format has none.
    let page: Int?
    /// Of a table: its header row, said again wherever the table is cut.
    var tableHeader: String?
    /// Where the lines of the text stand on the page, one for each; nil where that is not known.
    var lines: [LineBox]?

    init(_ kind: Kind, _ text: String, page: Int? = nil) {
        self.kind = kind
        self.text = text
        self.page = page
    }
}
