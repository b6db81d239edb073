import MarkdownPages

/// The structure of Markdown, by its lines. The text of a block stays as it was written.
struct Markdown {
    private let lines: ArraySlice<Substring>
    private var next: Int
    private var blocks: [TextBlock] = []
    private var paragraph: [Substring] = []

    static func read(_ text: String) -> DocumentBlocks {
        let matter = FrontMatter(text.split(separator: "\n", omittingEmptySubsequences: false))
        var reader = Markdown(matter.body)
        return DocumentBlocks(title: matter.title, blocks: reader.read())
    }

    private init(_ lines: ArraySlice<Substring>) {
        self.lines = lines
        next = lines.startIndex
    }

    private mutating func read() -> [TextBlock] {
        while next < lines.endIndex {
            let line = MarkdownLine(lines[next])
            if line.isBlank {
                endParagraph()
                next += 1
            } else if let fence = line.fence {
                endParagraph()
                takeCode(fence)
            } else if line.opensComment {
                endParagraph()
                skipComment()
            } else if let heading = line.heading {
                endParagraph()
                append(.heading(level: heading.level), heading.text)
                next += 1
            } else if let level = line.underlineLevel, !paragraph.isEmpty {
                append(.heading(level: level), PlainText.joined(paragraph))
                paragraph = []
                next += 1
            } else if line.isRule {
                endParagraph()
                next += 1
            } else if isTable {
                endParagraph()
                takeTable()
            } else if line.isListItem {
                endParagraph()
                takeList()
            } else {
                paragraph.append(line.text)
                next += 1
            }
        }
        endParagraph()
        return blocks
    }

    private mutating func append(_ kind: TextBlock.Kind, _ text: String) {
        if !text.isEmpty { blocks.append(TextBlock(kind, text)) }
    }

    private mutating func endParagraph() {
        append(.paragraph, PlainText.joined(paragraph))
        paragraph = []
    }

    private mutating func takeTable() {
        let start = next
        while next < lines.endIndex, !MarkdownLine(lines[next]).isBlank, lines[next].contains("|") {
            next += 1
        }
        var table = TextBlock(.table, PlainText.joined(Array(lines[start..<next])))
        // The divider says nothing to rows that are cut off from it.
        table.tableHeader = lines[start].split(whereSeparator: \.isWhitespace)
            .joined(separator: " ")
        if !table.text.isEmpty { blocks.append(table) }
    }

    /// Up to the fence that closes it, or the end.
    private mutating func takeCode(_ fence: MarkdownLine.Fence) {
        let start = next
        next += 1
        while next < lines.endIndex {
            let isEnd = MarkdownLine(lines[next]).closes(fence)
            next += 1
            if isEnd { break }
        }
        append(.code, PlainText.joined(Array(lines[start..<next])))
    }

    /// Comments are for authors.
    private mutating func skipComment() {
        while next < lines.endIndex {
            let isEnd = lines[next].contains("-->")
            next += 1
            if isEnd { break }
        }
    }

    /// A row whose next line divides the head from the body.
    private var isTable: Bool {
        guard lines[next].contains("|"), next + 1 < lines.endIndex else { return false }
        return MarkdownLine(lines[next + 1]).isTableDivider
    }

    /// Items, their continuation lines, and empty lines between them.
    private mutating func takeList() {
        let start = next
        while next < lines.endIndex {
            let line = MarkdownLine(lines[next])
            if line.isBlank {
                let after = next + 1 < lines.endIndex ? MarkdownLine(lines[next + 1]) : nil
                guard let after, after.isListItem || after.indentation >= 2, !after.isBlank
                else { break }
            } else if line.heading != nil || line.isRule || line.fence != nil {
                guard line.indentation >= 2 else { break }
            }
            next += 1
        }
        append(.list, PlainText.joined(Array(lines[start..<next])))
    }
}
