import Markup

/// EPUB: the chapters in reading order. Each is a web page.
struct BookReader {
    private let parts: PackageParts
    private let limits: ReadingLimits
    private var title: String?
    /// The chapters' paths.
    private var spine: [String] = []

    private static let suffixes = [".xml", ".opf", ".xhtml", ".html", ".htm", ".xht"]
    /// How fonts are hidden from those who would take them out of the book: the text is open.
    private static let fontMethods = [
        "http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC",
    ]

    static func read(
        _ bytes: [UInt8], limits: ReadingLimits
    ) throws(ExtractionFailure) -> DocumentBlocks {
        let book = try BookReader(bytes, limits: limits)
        return DocumentBlocks(title: book.title, blocks: try book.blocks())
    }

    private init(_ bytes: [UInt8], limits: ReadingLimits) throws(ExtractionFailure) {
        self.limits = limits
        parts = try PackageParts(bytes, limits: limits) { path in
            Self.suffixes.contains { path.hasSuffix($0) }
        }
        if try isEncrypted() { throw .encrypted }
        let path = try packagePath()
        guard let reader = try parts.findReader(path, limits: limits) else { throw .corrupt }
        try readPackage(reader, path: path)
        guard spine.count <= limits.pageCountMax else { throw .tooManyPages }
    }

    private func packagePath() throws(ExtractionFailure) -> String {
        let container = try parts.findReader("META-INF/container.xml", limits: limits)
        guard let reader = container else { throw .corrupt }
        var path: String?
        _ = try reader.readRoot()
        try reader.forEachDescendant { name in
            if name == "rootfile", path == nil { path = reader.attribute("full-path") }
        }
        guard let path else { throw .corrupt }
        return path
    }

    private func isEncrypted() throws(ExtractionFailure) -> Bool {
        let encryption = try parts.findReader("META-INF/encryption.xml", limits: limits)
        guard let reader = encryption else { return false }
        var isEncrypted = false
        _ = try reader.readRoot()
        try reader.forEachElement { name throws(ExtractionFailure) in
            guard name == "EncryptedData" else { return }
            try reader.forEachElement { name in
                guard name == "EncryptionMethod" else { return }
                isEncrypted =
                    isEncrypted
                    || !Self.fontMethods.contains(reader.attribute("Algorithm") ?? "")
            }
        }
        return isEncrypted
    }

    private mutating func readPackage(
        _ reader: XMLReader, path: String
    ) throws(ExtractionFailure) {
        var paths: [String: String] = [:]
        var title = ""
        var spine: [String] = []
        guard try reader.readRoot() == "package" else { throw .corrupt }
        try reader.forEachDescendant { name throws(ExtractionFailure) in
            switch name {
            case "title" where title.isEmpty: title = try reader.readText().onOneLine
            case "item":
                // The table of contents says the headings again.
                let properties = (reader.attribute("properties") ?? "").split(separator: " ")
                guard !properties.contains("nav"), let id = reader.attribute("id"),
                    let target = reader.attribute("href")
                else { return }
                paths[id] = PartPath.resolve(PartPath.decoded(target), from: path)
            case "itemref":
                if let id = reader.attribute("idref"), let path = paths[id] { spine.append(path) }
            default: break
            }
        }
        self.title = title.isEmpty ? nil : title
        self.spine = spine
    }

    private func blocks() throws(ExtractionFailure) -> [TextBlock] {
        var blocks: [TextBlock] = []
        var textByteCount = 0
        var chapterTitle: String?
        var isAnyFound = false
        for path in spine {
            guard let part = parts.findPart(path) else { continue }
            isAnyFound = true
            let chapter = try WebPageReader.read(part, limits: limits)
            textByteCount += chapter.blocks.reduce(0) { $0 + $1.text.utf8.count }
            guard textByteCount <= limits.textByteCountMax else { throw .tooMuchText }
            if let heading = heading(of: chapter), heading != chapterTitle {
                blocks.append(TextBlock(.heading(level: 1), heading))
            }
            chapterTitle = chapter.title
            blocks += chapter.blocks
        }
        guard isAnyFound else { throw .corrupt }
        return blocks
    }

    /// A chapter that begins with text is headed by its page's title, so that its text does not
    /// stand under the last heading of the chapter before.
    private func heading(of chapter: DocumentBlocks) -> String? {
        guard let first = chapter.blocks.first, let title = chapter.title, title != self.title
        else { return nil }
        if case .heading = first.kind { return nil }
        return title
    }
}

extension PartPath {
    /// Without percent-encoding.
    static func decoded(_ reference: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(reference.utf8.prefix { $0 != UInt8(ascii: "#") })[...]
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            if byte == UInt8(ascii: "%"), digits.utf8.count == 2,
                let value = UInt8(digits, radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
