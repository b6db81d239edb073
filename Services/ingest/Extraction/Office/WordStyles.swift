import Markup

/// What a paragraph's properties make of it, said by itself or by its style.
struct WordParagraphProperties {
    /// 0 is a heading of the first level, 9 is text.
    var outlineLevel: Int?
    /// Of a list item. Number 0 takes it out of a list that its style puts it in.
    var listNumber: String?
    var listDepth: Int?

    /// What is said here, else what is said there.
    func inheriting(_ base: Self) -> Self {
        Self(
            outlineLevel: outlineLevel ?? base.outlineLevel,
            listNumber: listNumber ?? base.listNumber, listDepth: listDepth ?? base.listDepth)
    }
}

/// A Word document's paragraph styles.
///
/// Their ids are in the language of who wrote the document, the names of built-in ones are not.
struct WordStyles {
    private struct Style {
        var name = ""
        var base: String?
        var properties = WordParagraphProperties()
    }

    private var styles: [String: Style] = [:]
    /// Styles on styles: Word allows about as many.
    private static let ancestorCountMax = 12

    /// - Parameter reader: of the styles' part; nil if the document has none.
    init(_ reader: XMLReader?) throws(ExtractionFailure) {
        guard let reader else { return }
        var styles: [String: Style] = [:]
        _ = try reader.readRoot()
        try reader.forEachElement { name throws(ExtractionFailure) in
            guard name == "style", let id = reader.attribute("styleId") else { return }
            styles[id] = try Self.readStyle(reader)
        }
        self.styles = styles
    }

    func properties(of id: String) -> WordParagraphProperties {
        var properties = WordParagraphProperties()
        var next: String? = id
        for _ in 0..<Self.ancestorCountMax {
            guard let id = next else { break }
            let style = styles[id] ?? Style(name: id)
            properties = properties.inheriting(style.properties)
            if properties.outlineLevel == nil { properties.outlineLevel = Self.level(style.name) }
            next = style.base
        }
        return properties
    }

    /// Tables of contents and figures say headings and captions again.
    func isDirectory(_ id: String) -> Bool {
        let name = (styles[id]?.name ?? id).lowercased()
        return name == "table of figures" || name == "toc heading"
            || name.hasPrefix("toc ") && Int(name.dropFirst(4)) != nil
    }

    /// Of the built-in headings: `heading 1` as Word writes it, `Heading1` where it is an id.
    private static func level(_ name: String) -> Int? {
        let name = name.lowercased()
        if name == "title" { return 0 }
        guard name.hasPrefix("heading"),
            let level = Int(name.dropFirst("heading".count).filter { $0 != " " }),
            (1...9).contains(level)
        else { return nil }
        return level - 1
    }

    private static func readStyle(_ reader: XMLReader) throws(ExtractionFailure) -> Style {
        var style = Style()
        try reader.forEachElement { name throws(ExtractionFailure) in
            switch name {
            case "name": style.name = reader.attribute("val") ?? ""
            case "basedOn": style.base = reader.attribute("val")
            case "pPr": style.properties = try WordParagraphProperties(reader)
            default: break
            }
        }
        return style
    }
}

extension WordParagraphProperties {
    /// Within `pPr`; `read` is given those that are not of this kind.
    init(
        _ reader: XMLReader, read: (String) throws(ExtractionFailure) -> Void = { _ in }
    ) throws(ExtractionFailure) {
        var properties = Self()
        try reader.forEachElement { name throws(ExtractionFailure) in
            switch name {
            case "outlineLvl": properties.outlineLevel = reader.attribute("val").flatMap { Int($0) }
            case "numPr":
                try reader.forEachElement { name throws(ExtractionFailure) in
                    let value = reader.attribute("val")
                    if name == "numId" { properties.listNumber = value }
                    if name == "ilvl" { properties.listDepth = value.flatMap { Int($0) } }
                }
            default: try read(name)
            }
        }
        self = properties
    }
}
