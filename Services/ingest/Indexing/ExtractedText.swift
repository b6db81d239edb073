/// What extraction makes of a document: its pieces in reading order, as one text with places.
struct ExtractedText: Sendable, Hashable {
    /// A title the document states about itself, outside its text.
    let title: String?
    /// The revision's text; blocks are divided by an empty line.
    let text: String
    let blocks: [Placed]

    struct Placed: Sendable, Hashable {
        let kind: TextBlock.Kind
        /// In bytes of the text's UTF-8.
        let range: Range<Int>
        let page: Int?
    }

    init(title: String?, blocks: [TextBlock]) {
        self.title = title
        var text = ""
        var placed: [Placed] = []
        for block in blocks {
            let whole = block.text.startIndex..<block.text.endIndex
            guard let trimmed = block.text.trimmed(whole) else { continue }
            if !text.isEmpty { text += "\n\n" }
            let start = text.utf8.count
            text += block.text[trimmed]
            placed.append(
                Placed(kind: block.kind, range: start..<text.utf8.count, page: block.page))
        }
        self.text = text
        self.blocks = placed
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
    let text: String
    /// 1-based; nil where the format has no pages.
    let page: Int?

    init(_ kind: Kind, _ text: String, page: Int? = nil) {
        self.kind = kind
        self.text = text
        self.page = page
    }
}
