/// Text out of a document's bytes. Runs in a child process: see `ExtractCommand`.
enum Extraction {
    /// How to read the bytes. Raw values are the child's argument.
    enum Format: String, Sendable, CaseIterable {
        case markdown
        case plainText = "plain-text"

        init(contentType: String) {
            self = contentType == "text/markdown" ? .markdown : .plainText
        }
    }

    /// Nil when the bytes are not of that format.
    static func extract(_ bytes: [UInt8], as format: Format) -> (
        title: String?, blocks: [TextBlock]
    )? {
        guard let text = TextDecoding.decode(bytes) else { return nil }
        return switch format {
        case .markdown: Markdown.read(text)
        case .plainText: (nil, PlainText.blocks(of: text))
        }
    }
}
