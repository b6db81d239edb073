import Markup

/// DOCX: the document's body as it stands with all changes accepted. Headers, footers, comments
/// and tables of contents are left out; notes follow the block that refers to them.
struct WordReader {
    private let reader: XMLReader
    private let styles: WordStyles
    /// By kind and id.
    private let notes: [WordNoteReference: String]
    private var flow: TextFlow

    /// One paragraph while it is read.
    private struct Paragraph {
        var text = InlineText()
        var style: String?
        var properties = WordParagraphProperties()
        var notes: [String] = []
    }

    static func read(
        _ bytes: [UInt8], limits: ReadingLimits
    ) throws(ExtractionFailure) -> DocumentBlocks {
        let package = try OfficePackage(bytes, limits: limits)
        var reader = try WordReader(package)
        try reader.readBlocks()
        return DocumentBlocks(title: try package.title(), blocks: try reader.flow.finish())
    }

    private init(_ package: OfficePackage) throws(ExtractionFailure) {
        reader = try package.mainReader(root: "document")
        let related = try package.relationships(of: package.mainPath)
        let stylesPath = related.values.first { $0.type == "styles" }?.path
        styles = try WordStyles(
            stylesPath.flatMap { path throws(ExtractionFailure) in try package.findReader(path) })
        notes = try WordNotes.read(related.values.map { $0 }, in: package)
        flow = TextFlow(limits: package.limits)
    }

    /// Paragraphs and tables of the element that has just begun: the body, a cell, a text box.
    private mutating func readBlocks() throws(ExtractionFailure) {
        try reader.forEachElement { name throws(ExtractionFailure) in
            switch name {
            case "p": try readParagraph()
            case "tbl": try readTable()
            case "AlternateContent":
                try readFirstAlternative { () throws(ExtractionFailure) in try readBlocks() }
            default: if !Self.isUnread(name) { try readBlocks() }
            }
        }
    }

    private mutating func readParagraph() throws(ExtractionFailure) {
        var paragraph = Paragraph()
        try readRuns(of: &paragraph)
        let style = paragraph.style ?? ""
        guard !styles.isDirectory(style) else { return }
        let properties = paragraph.properties.inheriting(styles.properties(of: style))
        try flow.append(
            paragraph.text.take(), as: Self.role(properties), notes: paragraph.notes)
    }

    private static func role(_ properties: WordParagraphProperties) -> TextFlow.Role {
        if let level = properties.outlineLevel, (0..<9).contains(level) {
            return .heading(level: level + 1)
        }
        if let number = properties.listNumber, number != "0" {
            return .item(depth: properties.listDepth ?? 0)
        }
        return .paragraph
    }

    /// Also of what stands between the paragraph and its runs: links, insertions, controls.
    private mutating func readRuns(of paragraph: inout Paragraph) throws(ExtractionFailure) {
        try reader.forEachElement { name throws(ExtractionFailure) in
            switch name {
            case "pPr":
                paragraph.properties = try WordParagraphProperties(reader) { name in
                    if name == "pStyle" { paragraph.style = reader.attribute("val") }
                }
            case "r": try readRun(of: &paragraph)
            default: if !Self.isUnread(name) { try readRuns(of: &paragraph) }
            }
        }
    }

    private mutating func readRun(of paragraph: inout Paragraph) throws(ExtractionFailure) {
        var isHidden = false
        try reader.forEachElement { name throws(ExtractionFailure) in
            if name == "rPr" {
                try reader.forEachElement { if $0 == "vanish" { isHidden = reader.isOn } }
            } else if !isHidden {
                try readContent(name, of: &paragraph)
            }
        }
    }

    private mutating func readContent(
        _ name: String, of paragraph: inout Paragraph
    ) throws(ExtractionFailure) {
        switch name {
        case "t": paragraph.text.append(try reader.readText())
        case "tab", "ptab": paragraph.text.space()
        case "br", "cr": paragraph.text.breakLine()
        case "noBreakHyphen": paragraph.text.append("-")
        case "footnoteReference", "endnoteReference":
            let reference = WordNoteReference(
                isEndnote: name == "endnoteReference", id: reader.attribute("id") ?? "")
            if let note = notes[reference] { paragraph.notes.append(note) }
        case "txbxContent": try readBlocks()
        case "AlternateContent":
            try readFirstAlternative { () throws(ExtractionFailure) in
                try readContents(of: &paragraph)
            }
        default: if !Self.isUnread(name) { try readContents(of: &paragraph) }
        }
    }

    /// Drawings and the like: their text boxes stand deep inside.
    private mutating func readContents(of paragraph: inout Paragraph) throws(ExtractionFailure) {
        try reader.forEachElement { name throws(ExtractionFailure) in
            try readContent(name, of: &paragraph)
        }
    }

    /// The same content in several forms: whatever the first one is, its text is the text.
    private func readFirstAlternative(
        _ read: () throws(ExtractionFailure) -> Void
    ) throws(ExtractionFailure) {
        var isRead = false
        try reader.forEachElement { _ throws(ExtractionFailure) in
            if !isRead { try read() }
            isRead = true
        }
    }

    /// What was deleted or moved away, commands of fields, readings of characters, old properties.
    private static func isUnread(_ name: String) -> Bool {
        switch name {
        case "del", "moveFrom", "instrText", "delText", "fldData", "rt", "rPr", "sectPr", "sdtPr":
            true
        default: name.hasSuffix("Change")
        }
    }

    private mutating func readTable() throws(ExtractionFailure) {
        try flow.startTable()
        try readRows()
        try flow.endTable()
    }

    private mutating func readRows() throws(ExtractionFailure) {
        try reader.forEachElement { name throws(ExtractionFailure) in
            switch name {
            case "tr": try readRow()
            case "tblPr", "tblGrid": break
            default: if !Self.isUnread(name) { try readRows() }
            }
        }
    }

    private mutating func readRow() throws(ExtractionFailure) {
        var isHeader = false
        var isDeleted = false
        var hasBegun = false
        var skippedCount = 0
        try reader.forEachElement { name throws(ExtractionFailure) in
            if name == "trPr" {
                try reader.forEachElement { name throws(ExtractionFailure) in
                    switch name {
                    case "tblHeader": isHeader = reader.isOn
                    case "del": isDeleted = true
                    case "gridBefore": skippedCount = Int(reader.attribute("val") ?? "") ?? 0
                    default: break
                    }
                }
            } else if !isDeleted, !Self.isUnread(name), name != "tblPrEx" {
                if !hasBegun { try startRow(isHeader: isHeader, skippedCount: skippedCount) }
                hasBegun = true
                try readCell(name)
            }
        }
    }

    private mutating func startRow(
        isHeader: Bool, skippedCount: Int
    ) throws(ExtractionFailure) {
        flow.startRow(isHeader: isHeader)
        guard skippedCount > 0 else { return }
        flow.startCell(columnSpan: skippedCount)
        try flow.endCell()
    }

    /// A cell, or something around cells.
    private mutating func readCell(_ name: String) throws(ExtractionFailure) {
        guard name == "tc" else {
            try reader.forEachElement { name throws(ExtractionFailure) in
                if !Self.isUnread(name) { try readCell(name) }
            }
            return
        }
        var hasBegun = false
        var columnSpan = 1
        try reader.forEachElement { name throws(ExtractionFailure) in
            if name == "tcPr" {
                try reader.forEachElement { name in
                    guard name == "gridSpan" else { return }
                    columnSpan = Int(reader.attribute("val") ?? "") ?? 1
                }
                return
            }
            if !hasBegun { flow.startCell(columnSpan: columnSpan) }
            hasBegun = true
            switch name {
            case "p": try readParagraph()
            case "tbl": try readTable()
            default: if !Self.isUnread(name) { try readBlocks() }
            }
        }
        if hasBegun { try flow.endCell() }
    }
}
