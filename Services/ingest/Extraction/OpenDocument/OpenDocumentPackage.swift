import Markup

/// A document of OpenDocument (ISO 26300): text, spreadsheet or presentation in a ZIP.
struct OpenDocumentPackage {
    let limits: ReadingLimits
    private let parts: PackageParts

    private static let contentPath = "content.xml"
    private static let read = [
        contentPath, "styles.xml", "meta.xml", "meta-inf/manifest.xml",
    ]

    init(_ bytes: [UInt8], limits: ReadingLimits) throws(ExtractionFailure) {
        self.limits = limits
        parts = try PackageParts(bytes, limits: limits) { Self.read.contains($0) }
        if try isEncrypted() { throw .encrypted }
    }

    /// Within the content's outermost element.
    func contentReader() throws(ExtractionFailure) -> XMLReader {
        guard let reader = try parts.findReader(Self.contentPath, limits: limits),
            try reader.readRoot() == "document-content"
        else { throw .corrupt }
        return reader
    }

    /// The common styles, and those that the content has for itself.
    func styles() throws(ExtractionFailure) -> OpenDocumentStyles {
        var styles = OpenDocumentStyles()
        for path in ["styles.xml", Self.contentPath] {
            guard let reader = try parts.findReader(path, limits: limits) else { continue }
            try styles.read(reader)
        }
        return styles
    }

    /// What the document's properties say; nil if nothing.
    func title() throws(ExtractionFailure) -> String? {
        guard let reader = try parts.findReader("meta.xml", limits: limits) else { return nil }
        var title = ""
        _ = try reader.readRoot()
        try reader.forEachDescendant { name throws(ExtractionFailure) in
            if name == "title", title.isEmpty { title = try reader.readText().onOneLine }
        }
        return title.isEmpty ? nil : title
    }

    /// Parts are encrypted one by one, and the manifest says so; the ZIP itself is not.
    private func isEncrypted() throws(ExtractionFailure) -> Bool {
        guard let reader = try parts.findReader("META-INF/manifest.xml", limits: limits) else {
            return false
        }
        var isEncrypted = false
        _ = try reader.readRoot()
        try reader.forEachDescendant { name in
            if name == "encryption-data" { isEncrypted = true }
        }
        return isEncrypted
    }
}

/// What styles say that changes what is read.
struct OpenDocumentStyles {
    private struct Style {
        var parent: String?
        var isHidden = false
    }

    private var styles: [String: Style] = [:]
    private static let ancestorCountMax = 16

    /// A document's title stands in a style of that name, or in one made from it.
    func isTitle(_ name: String) -> Bool {
        chain(name).contains { $0 == "Title" }
    }

    /// Of text, sheets and slides.
    func isHidden(_ name: String) -> Bool {
        chain(name).contains { styles[$0]?.isHidden == true }
    }

    private func chain(_ name: String) -> [String] {
        var names: [String] = []
        var next: String? = name
        while let name = next, !name.isEmpty, names.count < Self.ancestorCountMax {
            names.append(name)
            next = styles[name]?.parent
        }
        return names
    }

    mutating func read(_ reader: XMLReader) throws(ExtractionFailure) {
        _ = try reader.readRoot()
        try reader.forEachElement { name throws(ExtractionFailure) in
            guard name == "styles" || name == "automatic-styles" else { return }
            try reader.forEachElement { name throws(ExtractionFailure) in
                guard name == "style", let style = reader.attribute("name") else { return }
                styles[style] = try Self.readStyle(reader)
            }
        }
    }

    private static func readStyle(_ reader: XMLReader) throws(ExtractionFailure) -> Style {
        var style = Style(parent: reader.attribute("parent-style-name"))
        try reader.forEachElement { name in
            switch name {
            case "text-properties":
                if reader.attribute("display") == "none" { style.isHidden = true }
            case "table-properties":
                if reader.attribute("display") == "false" { style.isHidden = true }
            case "drawing-page-properties":
                if reader.attribute("visibility") == "hidden" { style.isHidden = true }
            default: break
            }
        }
        return style
    }
}
