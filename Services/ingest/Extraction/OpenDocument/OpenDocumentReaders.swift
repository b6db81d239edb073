import Markup

/// ODT.
enum TextDocumentReader {
    static func read(
        _ bytes: [UInt8], limits: ReadingLimits
    ) throws(ExtractionFailure) -> DocumentBlocks {
        let package = try OpenDocumentPackage(bytes, limits: limits)
        var text = OpenDocumentText(
            reader: try package.contentReader(), styles: try package.styles(),
            flow: TextFlow(limits: limits))
        try text.reader.forEachBody(of: "text") { () throws(ExtractionFailure) in
            try text.readBlocks()
        }
        return DocumentBlocks(title: try package.title(), blocks: try text.flow.finish())
    }
}

/// ODP: the slides that are shown, as `PresentationReader` has them.
struct SlideDocumentReader {
    private var text: OpenDocumentText
    private let limits: ReadingLimits
    private var number = 0

    static func read(
        _ bytes: [UInt8], limits: ReadingLimits
    ) throws(ExtractionFailure) -> DocumentBlocks {
        let package = try OpenDocumentPackage(bytes, limits: limits)
        let text = OpenDocumentText(
            reader: try package.contentReader(), styles: try package.styles(),
            flow: TextFlow(limits: limits))
        var slides = SlideDocumentReader(text: text, limits: limits)
        try slides.readSlides()
        return DocumentBlocks(title: try package.title(), blocks: try slides.text.flow.finish())
    }

    private mutating func readSlides() throws(ExtractionFailure) {
        let reader = text.reader
        try reader.forEachBody(of: "presentation") { () throws(ExtractionFailure) in
            try reader.forEachElement { name throws(ExtractionFailure) in
                guard name == "page" else { return }
                number += 1
                guard number <= limits.pageCountMax else { throw .tooManyPages }
                if !text.styles.isHidden(reader.attribute("style-name") ?? "") { try readSlide() }
            }
        }
    }

    /// The title is known when its frame comes, which may be after others: they wait.
    private mutating func readSlide() throws(ExtractionFailure) {
        try text.flow.startPage(number)
        var title = ""
        let before = text.flow
        text.flow = TextFlow(limits: limits)
        var notes = ""
        try text.reader.forEachElement { name throws(ExtractionFailure) in
            switch name {
            case "notes": notes = try readNotes()
            case _ where text.isUnread(name): break
            default: try readShape(&title)
            }
        }
        let shapes = try text.flow.finish()
        text.flow = before
        try text.flow.append(
            title.isEmpty ? "Slide \(number)" : title, as: .heading(level: 1))
        try text.flow.append(shapes)
        if !notes.isEmpty { try text.flow.append("Notes: " + notes, as: .paragraph) }
    }

    private mutating func readShape(_ title: inout String) throws(ExtractionFailure) {
        switch text.reader.attribute("class") ?? "" {
        case "title" where title.isEmpty:
            title = try plainText()
        case "page-number", "date-time", "footer", "header": break
        default: try text.readBlocks()
        }
    }

    private mutating func readNotes() throws(ExtractionFailure) -> String {
        var notes = ""
        try text.reader.forEachElement { _ throws(ExtractionFailure) in
            guard text.reader.attribute("class") == "notes" else { return }
            notes = try plainText()
        }
        return notes
    }

    private mutating func plainText() throws(ExtractionFailure) -> String {
        var line = InlineText()
        var notes: [String] = []
        try text.reader.forEachDescendant { name throws(ExtractionFailure) in
            guard name == "p" else { return }
            line.breakLine()
            try text.readInline(into: &line, notes: &notes)
        }
        return line.take()
    }
}

extension XMLReader {
    /// Within a content's `office:body`: its one element, which says what kind of document it is.
    func forEachBody(
        of kind: String, _ receive: () throws(ExtractionFailure) -> Void
    ) throws(ExtractionFailure) {
        var isFound = false
        try forEachElement { name throws(ExtractionFailure) in
            guard name == "body" else { return }
            try forEachElement { name throws(ExtractionFailure) in
                guard name == kind else { return }
                isFound = true
                try receive()
            }
        }
        if !isFound { throw .corrupt }
    }
}
