/// Text out of a document's bytes. Runs in a child process: see `ExtractCommand`.
enum Extraction {
    /// How to read the bytes. Raw values are the child's argument.
    enum Format: String, Sendable, CaseIterable {
        case markdown
        case plainText = "plain-text"
        case pdf
        case image
        case csv
        case tsv
        case json
        case mail
        case rtf
        case docx
        case pptx
        case xlsx
        case odt
        case odp
        case ods
        case epub
        case html

        /// Read by programs of others, from its file.
        var isReadByTools: Bool { self == .pdf || self == .image }

        /// Nil for what nothing here can read: such files are refused when they are uploaded.
        init?(contentType: String) {
            switch contentType {
            case "text/markdown": self = .markdown
            case "text/plain": self = .plainText
            case "application/pdf": self = .pdf
            case "image/png", "image/jpeg", "image/gif", "image/webp", "image/tiff": self = .image
            case "text/csv": self = .csv
            case "text/tab-separated-values": self = .tsv
            case "application/json": self = .json
            case "message/rfc822": self = .mail
            case "application/rtf": self = .rtf
            case "application/vnd.openxmlformats-officedocument.wordprocessingml.document":
                self = .docx
            case "application/vnd.openxmlformats-officedocument.presentationml.presentation":
                self = .pptx
            case "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": self = .xlsx
            case "application/vnd.oasis.opendocument.text": self = .odt
            case "application/vnd.oasis.opendocument.presentation": self = .odp
            case "application/vnd.oasis.opendocument.spreadsheet": self = .ods
            case "application/epub+zip": self = .epub
            case "text/html", "application/xhtml+xml": self = .html
            default: return nil
            }
        }
    }

    static func extract(
        _ bytes: [UInt8], as format: Format, limits: ReadingLimits
    ) throws(ExtractionFailure) -> DocumentBlocks {
        let document = try read(bytes, as: format, limits: limits)
        guard document.blocks.count <= limits.blockCountMax else { throw .tooMuchText }
        let byteCount = document.blocks.reduce(0) { $0 + $1.text.utf8.count }
        guard byteCount <= limits.textByteCountMax else { throw .tooMuchText }
        return document
    }

    private static func read(
        _ bytes: [UInt8], as format: Format, limits: ReadingLimits
    ) throws(ExtractionFailure) -> DocumentBlocks {
        switch format {
        // From the file on standard input, which is also the own folder's `input`.
        case .pdf: try PDFReader.read(limits)
        case .image: try PictureReader.read(limits)
        case .markdown: Markdown.read(TextDecoding.decode(bytes))
        case .plainText:
            DocumentBlocks(title: nil, blocks: PlainText.blocks(of: TextDecoding.decode(bytes)))
        case .csv:
            try SeparatedValues.read(TextDecoding.decode(bytes), separator: nil, limits: limits)
        case .tsv:
            try SeparatedValues.read(TextDecoding.decode(bytes), separator: "\t", limits: limits)
        case .json: try JSONText.read(TextDecoding.decode(bytes), limits: limits)
        case .mail: try Mail.read(bytes, limits: limits)
        case .rtf: try RichText.read(bytes, limits: limits)
        case .docx: try WordReader.read(bytes, limits: limits)
        case .pptx: try PresentationReader.read(bytes, limits: limits)
        case .xlsx: try WorkbookReader.read(bytes, limits: limits)
        case .odt: try TextDocumentReader.read(bytes, limits: limits)
        case .odp: try SlideDocumentReader.read(bytes, limits: limits)
        case .ods: try SheetDocumentReader.read(bytes, limits: limits)
        case .epub: try BookReader.read(bytes, limits: limits)
        case .html: try WebPageReader.read(bytes, limits: limits)
        }
    }
}

/// What a reader makes of a document: its structure in reading order.
struct DocumentBlocks: Sendable, Hashable {
    /// A title the document states about itself, outside its text.
    var title: String?
    var blocks: [TextBlock]
    /// Pages that have to be recognised first. While there are any, there are no blocks.
    var pendingPages: [Int] = []
}
