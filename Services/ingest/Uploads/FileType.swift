/// The types of file that can be read, by their media types. Raw values are what is stored.
enum FileType: String, Sendable, CaseIterable {
    case markdown = "text/markdown"
    case plainText = "text/plain"
    case csv = "text/csv"
    case tsv = "text/tab-separated-values"
    case html = "text/html"
    case json = "application/json"
    case mail = "message/rfc822"
    case rtf = "application/rtf"
    case pdf = "application/pdf"
    case docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    case pptx = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
    case xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    case odt = "application/vnd.oasis.opendocument.text"
    case ods = "application/vnd.oasis.opendocument.spreadsheet"
    case odp = "application/vnd.oasis.opendocument.presentation"
    case epub = "application/epub+zip"
    case png = "image/png"
    case jpeg = "image/jpeg"
    case gif = "image/gif"
    case webp = "image/webp"
    case tiff = "image/tiff"

    /// What kind of text a name's extension promises.
    init(textNamed fileExtension: String) {
        switch fileExtension {
        case "md", "markdown", "mdown", "mkd", "mkdn", "mdx": self = .markdown
        case "csv": self = .csv
        case "tsv", "tab": self = .tsv
        case "html", "htm", "xhtml", "xht": self = .html
        case "json", "jsonl", "ndjson", "geojson": self = .json
        case "eml": self = .mail
        default: self = .plainText
        }
    }

    /// An office document behind a password is a container of another kind, which does not tell
    /// what is inside.
    init?(encryptedNamed fileExtension: String) {
        switch fileExtension {
        case "docx": self = .docx
        case "pptx": self = .pptx
        case "xlsx": self = .xlsx
        default: return nil
        }
    }
}
