import Markup

/// PPTX: the slides that are shown, each a page that begins with its title, in their order; speaker
/// notes follow their slide. Pages are counted with the hidden ones, as slide numbers are.
struct PresentationReader {
    private let package: OfficePackage
    private var flow: TextFlow

    static func read(
        _ bytes: [UInt8], limits: ReadingLimits
    ) throws(ExtractionFailure) -> DocumentBlocks {
        let package = try OfficePackage(bytes, limits: limits)
        var reader = PresentationReader(package: package, flow: TextFlow(limits: limits))
        try reader.readSlides()
        return DocumentBlocks(title: try package.title(), blocks: try reader.flow.finish())
    }

    private mutating func readSlides() throws(ExtractionFailure) {
        let reader = try package.mainReader(root: "presentation")
        let related = try package.relationships(of: package.mainPath)
        var paths: [String] = []
        try reader.forEachDescendant { name in
            guard name == "sldId", let id = reader.attribute("id", isQualified: true) else {
                return
            }
            related[id].map { paths.append($0.path) }
        }
        guard paths.count <= package.limits.pageCountMax else { throw .tooManyPages }
        for (index, path) in paths.enumerated() { try readSlide(path, number: index + 1) }
    }

    private mutating func readSlide(_ path: String, number: Int) throws(ExtractionFailure) {
        guard let reader = try package.findReader(path), try reader.readRoot() == "sld" else {
            throw .corrupt
        }
        guard !["0", "false"].contains(reader.attribute("show") ?? "") else { return }
        let related = try package.relationships(of: path)
        let shapes = try SlideShapes.read(reader)
        try flow.startPage(number)
        let title = shapes.title.isEmpty ? "Slide \(number)" : shapes.title
        try flow.append(title, as: .heading(level: 1))
        for piece in shapes.pieces { try append(piece, related) }
        if let notes = related.values.first(where: { $0.type == "notesSlide" }) {
            try readNotes(notes.path)
        }
    }

    private mutating func append(
        _ piece: SlideShapes.Piece, _ related: [String: OfficePackage.Relationship]
    ) throws(ExtractionFailure) {
        switch piece {
        case .paragraph(let text, let role): try flow.append(text, as: role)
        case .table(let rows):
            try flow.startTable()
            for row in rows {
                flow.startRow()
                for cell in row {
                    flow.startCell()
                    try flow.append(cell, as: .paragraph)
                    try flow.endCell()
                }
            }
            try flow.endTable()
        case .diagram(let id):
            guard let part = related[id], let reader = try package.findReader(part.path) else {
                return
            }
            try readDiagram(reader)
        }
    }

    /// The texts of a diagram's nodes, in the order they were written.
    private mutating func readDiagram(_ reader: XMLReader) throws(ExtractionFailure) {
        _ = try reader.readRoot()
        try reader.forEachDescendant { name throws(ExtractionFailure) in
            guard name == "t" else { return }
            for text in try SlideText.paragraphs(reader, isBulleted: false) {
                try flow.append(text.text, as: .item(depth: 0))
            }
        }
    }

    private mutating func readNotes(_ path: String) throws(ExtractionFailure) {
        guard let reader = try package.findReader(path) else { return }
        _ = try reader.readRoot()
        let texts = try SlideShapes.read(reader, placeholder: "body").pieces.compactMap { piece in
            if case .paragraph(let text, _) = piece { text.isEmpty ? nil : text } else { nil }
        }
        guard !texts.isEmpty else { return }
        try flow.append("Notes: " + texts.joined(separator: "\n"), as: .paragraph)
    }
}
