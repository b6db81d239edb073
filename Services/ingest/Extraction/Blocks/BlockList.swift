/// A document's blocks in reading order, within the limit on its text.
struct BlockList {
    private(set) var blocks: [TextBlock] = []
    /// Of the slide or sheet that is being read.
    var page: Int? {
        willSet { if newValue != page { endList() } }
    }

    private let textByteCountMax: Int
    private var textByteCount = 0
    /// Items of the list that goes on.
    private var items: [String] = []

    init(limits: ReadingLimits) { textByteCountMax = limits.textByteCountMax }

    /// Also after the last block.
    mutating func endList() {
        if !items.isEmpty {
            blocks.append(TextBlock(.list, items.joined(separator: "\n"), page: page))
        }
        items = []
    }

    mutating func append(
        _ kind: TextBlock.Kind, _ text: String, tableHeader: String? = nil
    ) throws(ExtractionFailure) {
        guard !text.isEmpty else { return }
        endList()
        try count(text)
        var block = TextBlock(kind, text, page: page)
        block.tableHeader = tableHeader
        blocks.append(block)
    }

    /// - Parameter depth: 0 is an item of an outermost list.
    mutating func appendItem(_ text: String, depth: Int) throws(ExtractionFailure) {
        try appendItemLines(text, indentation: Self.indentation(depth), mark: "- ")
    }

    /// What belongs to the item before it: another paragraph of it.
    mutating func continueItem(_ text: String, depth: Int) throws(ExtractionFailure) {
        try appendItemLines(text, indentation: Self.indentation(depth), mark: "  ")
    }

    private mutating func appendItemLines(
        _ text: String, indentation: String, mark: String
    ) throws(ExtractionFailure) {
        guard !text.isEmpty else { return }
        let lines = text.split(separator: "\n").joined(separator: "\n\(indentation)  ")
        let item = indentation + mark + lines
        try count(item)
        items.append(item)
    }

    /// The document's words are counted as they come, so that nothing beyond the limit is kept.
    private mutating func count(_ text: String) throws(ExtractionFailure) {
        textByteCount += text.utf8.count
        guard textByteCount <= textByteCountMax else { throw .tooMuchText }
    }

    /// Deeper levels look like the fifth: nobody writes them, and a hostile file does not pay.
    private static func indentation(_ depth: Int) -> String {
        String(repeating: "  ", count: min(max(0, depth), 5))
    }
}
