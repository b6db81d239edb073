import Markup

/// A page's text while its elements come in. If it has a main part with text, that is all.
final class WebPage {
    private struct Open {
        let name: String
        let element: WebElement
    }

    /// Text before its element has ended.
    private var inline = InlineText()
    private var preformatted = ""
    private var title = InlineText()

    private var everything: TextFlow
    private var main: TextFlow
    /// All elements that have begun, the innermost last.
    private var open: [Open] = []
    /// How many of them are of a kind.
    private var counts: [Kind: Int] = [:]
    /// Whether the item that is open has a paragraph already.
    private var isItemContinued = false

    /// What an element is inside of.
    private enum Kind: Hashable {
        case unread, title, main, heading, preformatted, list, item, tableHead, article
    }

    init(limits: ReadingLimits) {
        everything = TextFlow(limits: limits)
        main = TextFlow(limits: limits)
    }

    func take(_ event: HTMLParser.Event) throws(ExtractionFailure) {
        switch event {
        case .start(let name, let attributes):
            var element = WebElement(name, attributes)
            // The foot of the page; that of an article is its own.
            if name == "footer", !isIn(.article), !isIn(.main) { element = .unread }
            open.append(Open(name: name, element: element))
            if !isIn(.unread) { try start(element) }
            count(open[open.count - 1], 1)
        case .end(let name):
            // An end without a beginning ends nothing.
            guard open.contains(where: { $0.name == name }) else { return }
            while let last = open.popLast() {
                count(last, -1)
                if !isIn(.unread) { try end(last.element) }
                if last.name == name { break }
            }
        case .text(let text):
            take(text)
        }
    }

    func finish() throws(ExtractionFailure) -> DocumentBlocks {
        try endParagraph()
        let inMain = try main.finish()
        let blocks = inMain.isEmpty ? try everything.finish() : inMain
        let title = title.take().onOneLine
        return DocumentBlocks(title: title.isEmpty ? nil : title, blocks: blocks)
    }

    private func take(_ text: String) {
        if isIn(.unread) { return }
        if isIn(.title) {
            title.append(text)
        } else if isIn(.preformatted) {
            preformatted += text
        } else {
            inline.append(text)
        }
    }

    private func start(_ element: WebElement) throws(ExtractionFailure) {
        switch element {
        // What is hidden does not part what is around it either.
        case .inline, .unread, .title: return
        case .lineBreak:
            if isIn(.preformatted) { preformatted += "\n" } else { inline.breakLine() }
            return
        case _ where isIn(.heading) || isIn(.preformatted):
            inline.space()
            return
        default: try endParagraph()
        }
        switch element {
        case .heading:
            // Tables of facts have headings in their header cells at most.
            if case .cell(isHeader: false, _, _)? = cell { try layOut() }
        case .item: isItemContinued = false
        case .table:
            if cell != nil { try layOut() }
            try change { (flow: inout TextFlow) throws(ExtractionFailure) in try flow.startTable() }
        case .row:
            let isHeader = isIn(.tableHead)
            try change { $0.startRow(isHeader: isHeader) }
        case .cell(_, let columnSpan, let rowSpan):
            try change { $0.startCell(columnSpan: columnSpan, rowSpan: rowSpan) }
        default: break
        }
    }

    private func end(_ element: WebElement) throws(ExtractionFailure) {
        switch element {
        case .inline, .lineBreak, .title, .unread: return
        case .heading(let level): try append(inline.take(), as: .heading(level: level))
        case .preformatted: try endPreformatted()
        case _ where isIn(.heading) || isIn(.preformatted): inline.space()
        case .main:
            let text = inline.take()
            try main.append(text, as: .paragraph)
        case .cell:
            try endParagraph()
            try change { (flow: inout TextFlow) throws(ExtractionFailure) in try flow.endCell() }
        case .table:
            try endParagraph()
            try change { (flow: inout TextFlow) throws(ExtractionFailure) in try flow.endTable() }
        case .item, .itemContinued:
            try endItemParagraph()
        default: try endParagraph()
        }
    }

    /// Its lines as they are, without the empty ones around them.
    private func endPreformatted() throws(ExtractionFailure) {
        let lines = preformatted.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.withoutTrailingSpace }
        preformatted = ""
        let begun = lines.drop { $0.isEmpty }
        let count = begun.lastIndex { !$0.isEmpty }.map { $0 - begun.startIndex + 1 } ?? 0
        try append(begun.prefix(count).joined(separator: "\n"), as: .code)
    }

    private func endParagraph() throws(ExtractionFailure) {
        guard isIn(.item) else {
            try append(inline.take(), as: .paragraph)
            return
        }
        try endItemParagraph()
    }

    private func endItemParagraph() throws(ExtractionFailure) {
        let text = inline.take()
        guard !text.isEmpty else { return }
        let depth = max(0, (counts[.list] ?? 0) - 1)
        try append(
            text, as: isItemContinued ? .itemContinued(depth: depth) : .item(depth: depth))
        isItemContinued = true
    }

    private func layOut() throws(ExtractionFailure) {
        try change { (flow: inout TextFlow) throws(ExtractionFailure) in
            try flow.takeTableForLayout()
        }
    }

    private func append(_ text: String, as role: TextFlow.Role) throws(ExtractionFailure) {
        guard !text.isEmpty else { return }
        try change { (flow: inout TextFlow) throws(ExtractionFailure) in
            try flow.append(text, as: role)
        }
    }

    private func change(
        _ body: (inout TextFlow) throws(ExtractionFailure) -> Void
    ) throws(ExtractionFailure) {
        if isIn(.main) { try body(&main) } else { try body(&everything) }
    }

    /// The innermost open cell.
    private var cell: WebElement? {
        for open in open.reversed() {
            if case .cell = open.element { return open.element }
            if open.element == .table { return nil }
        }
        return nil
    }

    private func isIn(_ kind: Kind) -> Bool { (counts[kind] ?? 0) > 0 }

    private func count(_ open: Open, _ change: Int) {
        let kind: Kind? =
            switch open.element {
            case .unread: .unread
            case .title: .title
            case .main: .main
            case .heading: .heading
            case .preformatted: .preformatted
            case .list: .list
            case .item, .itemContinued: .item
            case .tableHead: .tableHead
            case .block where open.name == "article": .article
            default: nil
            }
        if let kind { counts[kind, default: 0] += change }
    }
}
