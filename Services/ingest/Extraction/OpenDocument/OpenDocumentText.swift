import Markup

/// Reads what OpenDocument's text, text boxes and cells are made of, wherever they stand: headings,
/// paragraphs, lists, tables. Changes are accepted; comments, indexes and forms are left out.
struct OpenDocumentText {
    let reader: XMLReader
    let styles: OpenDocumentStyles
    var flow: TextFlow

    /// What stands around a paragraph.
    struct Surroundings {
        /// Of lists; 0 is none.
        var listDepth = 0
        /// The item has a paragraph already.
        var isContinued = false
    }

    /// Blocks of the element that has just begun.
    mutating func readBlocks(
        _ surroundings: Surroundings = Surroundings()
    ) throws(ExtractionFailure) {
        var surroundings = surroundings
        try reader.forEachElement { name throws(ExtractionFailure) in
            switch name {
            case "h":
                let level = reader.attribute("outline-level").flatMap { Int($0) } ?? 1
                try readParagraph(as: .heading(level: max(1, level)))
            case "p":
                try readParagraph(as: role(surroundings))
                surroundings.isContinued = true
            case "list": try readList(surroundings)
            case "table": try readTable()
            default:
                if !isUnread(name) { try readBlocks(surroundings) }
            }
        }
    }

    mutating func readParagraph(as role: TextFlow.Role) throws(ExtractionFailure) {
        var text = InlineText()
        var notes: [String] = []
        let style = reader.attribute("style-name") ?? ""
        try readInline(into: &text, notes: &notes)
        guard !styles.isHidden(style) else { return }
        let isTitle = role == .paragraph && styles.isTitle(style)
        try flow.append(text.take(), as: isTitle ? .heading(level: 1) : role, notes: notes)
    }

    private func role(_ surroundings: Surroundings) -> TextFlow.Role {
        switch (surroundings.listDepth, surroundings.isContinued) {
        case (0, _): .paragraph
        case (let depth, false): .item(depth: depth - 1)
        case (let depth, true): .itemContinued(depth: depth - 1)
        }
    }

    private mutating func readList(_ surroundings: Surroundings) throws(ExtractionFailure) {
        let inside = Surroundings(listDepth: surroundings.listDepth + 1)
        try reader.forEachElement { name throws(ExtractionFailure) in
            if name == "list-item" || name == "list-header" { try readBlocks(inside) }
        }
    }

    /// A paragraph's text, and the notes it refers to.
    mutating func readInline(
        into text: inout InlineText, notes: inout [String]
    ) throws(ExtractionFailure) {
        try reader.forEachChild { child throws(ExtractionFailure) in
            switch child {
            case .text(let run): text.append(run)
            case .element("s"), .element("tab"): text.space()
            case .element("line-break"): text.breakLine()
            case .element("note"): notes.append(try readNote())
            case .element("text-box"): try readBlocks()
            case .element("span"):
                let isHidden = styles.isHidden(reader.attribute("style-name") ?? "")
                if !isHidden { try readInline(into: &text, notes: &notes) }
            case .element(let name):
                if !isUnread(name) { try readInline(into: &text, notes: &notes) }
            }
        }
    }

    /// A note without the mark that refers to it.
    private mutating func readNote() throws(ExtractionFailure) -> String {
        var text = InlineText()
        try reader.forEachElement { name throws(ExtractionFailure) in
            guard name == "note-body" else { return }
            try reader.forEachElement { _ throws(ExtractionFailure) in
                text.space()
                var notes: [String] = []
                try readInline(into: &text, notes: &notes)
            }
        }
        return text.take()
    }

    /// What says something again or about the text, and what is not shown.
    func isUnread(_ name: String) -> Bool {
        switch name {
        case "tracked-changes", "annotation", "forms", "table-of-content", "illustration-index",
            "table-index", "object-index", "user-index", "alphabetical-index", "hidden-text",
            "hidden-paragraph", "ruby-text", "title", "desc", "page-thumbnail", "scripts",
            "event-listeners", "note-citation", "sequence-decls", "variable-decls",
            "user-field-decls", "automatic-styles", "image", "plugin", "shapes":
            true
        case "section": reader.attribute("display") == "none"
        default: false
        }
    }

    mutating func readTable() throws(ExtractionFailure) {
        try flow.startTable()
        try readRows(isHeader: false)
        try flow.endTable()
    }

    private mutating func readRows(isHeader: Bool) throws(ExtractionFailure) {
        try reader.forEachElement { name throws(ExtractionFailure) in
            switch name {
            case "table-row":
                flow.startRow(isHeader: isHeader)
                try readCells()
            case "table-header-rows": try readRows(isHeader: true)
            case "table-rows", "table-row-group": try readRows(isHeader: isHeader)
            default: break
            }
        }
    }

    private mutating func readCells() throws(ExtractionFailure) {
        try reader.forEachElement { name throws(ExtractionFailure) in
            guard name == "table-cell" || name == "covered-table-cell" else { return }
            let count = reader.attribute("number-columns-repeated").flatMap { Int($0) } ?? 1
            flow.startCell(columnSpan: count)
            if name == "table-cell" { try readBlocks() }
            try flow.endCell()
        }
    }
}
