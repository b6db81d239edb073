import Markup

/// What stands on a slide, in the order it is drawn in.
struct SlideShapes {
    enum Piece {
        case paragraph(String, TextFlow.Role)
        case table([[String]])
        /// By the relation to its part.
        case diagram(String)
    }

    private(set) var title = ""
    private(set) var pieces: [Piece] = []
    /// The only kind of placeholder that is read; nil reads all.
    private let placeholder: String?

    /// - Parameter reader: within a slide or a page of notes.
    static func read(
        _ reader: XMLReader, placeholder: String? = nil
    ) throws(ExtractionFailure) -> SlideShapes {
        var shapes = SlideShapes(placeholder: placeholder)
        try shapes.readShapes(reader)
        return shapes
    }

    private init(placeholder: String?) { self.placeholder = placeholder }

    private mutating func readShapes(_ reader: XMLReader) throws(ExtractionFailure) {
        try reader.forEachElement { name throws(ExtractionFailure) in
            switch name {
            case "sp": try readShape(reader)
            case "tbl": pieces.append(.table(try SlideTable.rows(reader)))
            case "relIds":
                if let id = reader.attribute("dm", isQualified: true) {
                    pieces.append(.diagram(id))
                }
            case "AlternateContent":
                var isRead = false
                try reader.forEachElement { _ throws(ExtractionFailure) in
                    if !isRead { try readShapes(reader) }
                    isRead = true
                }
            case "nvGrpSpPr", "grpSpPr", "nvGraphicFramePr", "pic", "extLst", "timing": break
            default: try readShapes(reader)
            }
        }
    }

    private mutating func readShape(_ reader: XMLReader) throws(ExtractionFailure) {
        var kind: String?
        var paragraphs: [SlideText.Paragraph] = []
        try reader.forEachElement { name throws(ExtractionFailure) in
            switch name {
            case "nvSpPr":
                try reader.forEachDescendant { name in
                    // A placeholder that says no type is one for any content.
                    if name == "ph" { kind = reader.attribute("type") ?? "obj" }
                }
            case "txBody":
                let isBulleted = placeholder == nil && (kind == "body" || kind == "obj")
                paragraphs = try SlideText.paragraphs(reader, isBulleted: isBulleted)
            default: break
            }
        }
        if let placeholder, placeholder != kind { return }
        take(paragraphs, kind: kind)
    }

    private mutating func take(_ paragraphs: [SlideText.Paragraph], kind: String?) {
        switch kind {
        case "title" where title.isEmpty, "ctrTitle" where title.isEmpty:
            title = paragraphs.map(\.text).joined(separator: " ").onOneLine
        // The number, the date and what stands on every slide.
        case "sldNum", "dt", "ftr", "hdr": break
        default: pieces += paragraphs.map { .paragraph($0.text, $0.role) }
        }
    }
}

/// The paragraphs of a shape.
enum SlideText {
    struct Paragraph {
        var text: String
        var role: TextFlow.Role
    }

    /// - Parameter isBulleted: whether its paragraphs are items unless they say otherwise, as those
    ///   of a slide's body are.
    static func paragraphs(
        _ reader: XMLReader, isBulleted: Bool
    ) throws(ExtractionFailure) -> [Paragraph] {
        var paragraphs: [Paragraph] = []
        try reader.forEachElement { name throws(ExtractionFailure) in
            guard name == "p" else { return }
            paragraphs.append(try paragraph(reader, isBulleted: isBulleted))
        }
        return paragraphs
    }

    private static func paragraph(
        _ reader: XMLReader, isBulleted: Bool
    ) throws(ExtractionFailure) -> Paragraph {
        var text = InlineText()
        var isItem = isBulleted
        var depth = 0
        try reader.forEachElement { name throws(ExtractionFailure) in
            switch name {
            case "pPr":
                depth = reader.attribute("lvl").flatMap { Int($0) } ?? 0
                try reader.forEachElement { name in
                    if name == "buNone" { isItem = false }
                    if ["buChar", "buAutoNum", "buBlip"].contains(name) { isItem = true }
                }
            case "br": text.breakLine()
            case "r", "fld", "m", "AlternateContent": try readRun(reader, into: &text)
            default: break
            }
        }
        return Paragraph(text: text.take(), role: isItem ? .item(depth: depth) : .paragraph)
    }

    /// A run's text; of alternatives the first, which is the formula where there is one.
    private static func readRun(
        _ reader: XMLReader, into text: inout InlineText
    ) throws(ExtractionFailure) {
        try reader.forEachElement { name throws(ExtractionFailure) in
            switch name {
            case "t": text.append(try reader.readText())
            case "Fallback", "rPr", "pPr": break
            default: try readRun(reader, into: &text)
            }
        }
    }
}

/// A table on a slide, as the texts of its cells. Cells that another one covers stand there too.
enum SlideTable {
    static func rows(_ reader: XMLReader) throws(ExtractionFailure) -> [[String]] {
        var rows: [[String]] = []
        try reader.forEachElement { name throws(ExtractionFailure) in
            guard name == "tr" else { return }
            var row: [String] = []
            try reader.forEachElement { name throws(ExtractionFailure) in
                if name == "tc" { row.append(try cell(reader)) }
            }
            rows.append(row)
        }
        return rows
    }

    private static func cell(_ reader: XMLReader) throws(ExtractionFailure) -> String {
        var text = InlineText()
        try reader.forEachElement { name throws(ExtractionFailure) in
            guard name == "txBody" else { return }
            for paragraph in try SlideText.paragraphs(reader, isBulleted: false) {
                text.space()
                text.append(paragraph.text)
            }
        }
        return text.take()
    }
}
