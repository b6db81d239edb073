import Markup

/// XLSX: the sheets that are shown, each a page that begins with its name. Pages are counted with
/// the hidden ones. Formulas are read as the values they had when the file was saved.
struct WorkbookReader {
    private struct Sheet {
        let name: String
        let path: String
        let isShown: Bool
    }

    private let package: OfficePackage
    private var sheets: [Sheet] = []
    private var isFrom1904 = false

    static func read(
        _ bytes: [UInt8], limits: ReadingLimits
    ) throws(ExtractionFailure) -> DocumentBlocks {
        let package = try OfficePackage(bytes, limits: limits)
        let reader = try WorkbookReader(package)
        return DocumentBlocks(title: try package.title(), blocks: try reader.blocks())
    }

    private init(_ package: OfficePackage) throws(ExtractionFailure) {
        self.package = package
        let reader = try package.mainReader(root: "workbook")
        let related = try package.relationships(of: package.mainPath)
        var sheets: [Sheet] = []
        var isFrom1904 = false
        try reader.forEachDescendant { name in
            switch name {
            case "workbookPr":
                isFrom1904 = ["1", "true"].contains(reader.attribute("date1904") ?? "")
            case "sheet":
                guard let id = reader.attribute("id", isQualified: true), let part = related[id]
                else { return }
                // Sheets that are charts have no cells.
                let isShown = (reader.attribute("state") ?? "visible") == "visible"
                sheets.append(
                    Sheet(
                        name: reader.attribute("name") ?? "", path: part.path,
                        isShown: isShown && part.type == "worksheet"))
            default: break
            }
        }
        guard sheets.count <= package.limits.pageCountMax else { throw .tooManyPages }
        self.sheets = sheets
        self.isFrom1904 = isFrom1904
    }

    private func blocks() throws(ExtractionFailure) -> [TextBlock] {
        let related = try package.relationships(of: package.mainPath)
        func findReader(_ type: String) throws(ExtractionFailure) -> XMLReader? {
            guard let part = related.values.first(where: { $0.type == type }) else { return nil }
            return try package.findReader(part.path)
        }
        let strings = try SharedStrings.read(try findReader("sharedStrings"))
        let formats = try CellFormats(try findReader("styles"))
        var list = BlockList(limits: package.limits)
        for (index, sheet) in sheets.enumerated() where sheet.isShown {
            guard let reader = try package.findReader(sheet.path) else { throw .corrupt }
            list.page = index + 1
            var cells = SheetCells(
                reader, strings: strings, formats: formats, isFrom1904: isFrom1904,
                limits: package.limits)
            try cells.read(named: sheet.name, into: &list)
        }
        return list.blocks
    }
}

/// The texts that cells refer to by number.
enum SharedStrings {
    static func read(_ reader: XMLReader?) throws(ExtractionFailure) -> [String] {
        guard let reader else { return [] }
        var strings: [String] = []
        _ = try reader.readRoot()
        try reader.forEachElement { name throws(ExtractionFailure) in
            if name == "si" { strings.append(try text(reader)) }
        }
        return strings
    }

    /// Of a string that may be made of runs; how it is pronounced is left out.
    static func text(_ reader: XMLReader) throws(ExtractionFailure) -> String {
        var text = ""
        try reader.forEachElement { name throws(ExtractionFailure) in
            switch name {
            case "t": text += try reader.readText()
            case "r":
                try reader.forEachElement { name throws(ExtractionFailure) in
                    if name == "t" { text += try reader.readText() }
                }
            default: break
            }
        }
        return text.onOneLine
    }
}

/// How cells show their numbers, by the number of the style they name.
struct CellFormats {
    private var formats: [NumberFormat] = []

    init(_ reader: XMLReader?) throws(ExtractionFailure) {
        guard let reader else { return }
        var codes: [Int: NumberFormat] = [:]
        var formats: [NumberFormat] = []
        _ = try reader.readRoot()
        try reader.forEachElement { group throws(ExtractionFailure) in
            guard group == "numFmts" || group == "cellXfs" else { return }
            try reader.forEachElement { _ in
                let id = reader.attribute("numFmtId").flatMap { Int($0) } ?? 0
                if group == "cellXfs" {
                    formats.append(codes[id] ?? NumberFormat(builtIn: id))
                } else if let code = reader.attribute("formatCode") {
                    codes[id] = NumberFormat(code: code)
                }
            }
        }
        self.formats = formats
    }

    func format(_ index: Int) -> NumberFormat {
        formats.indices.contains(index) ? formats[index] : .general
    }
}
