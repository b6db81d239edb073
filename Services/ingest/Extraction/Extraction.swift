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

    static func extract(
        _ bytes: [UInt8], as format: Format, limits: ReadingLimits
    ) throws(ExtractionFailure) -> DocumentBlocks {
        switch format {
        case .markdown: Markdown.read(try text(of: bytes))
        case .plainText:
            DocumentBlocks(title: nil, blocks: PlainText.blocks(of: try text(of: bytes)))
        }
    }

    private static func text(of bytes: [UInt8]) throws(ExtractionFailure) -> String {
        guard let text = TextDecoding.decode(bytes) else { throw .corrupt }
        return text
    }
}

/// What a reader makes of a document: its structure in reading order.
struct DocumentBlocks: Sendable, Hashable {
    /// A title the document states about itself, outside its text.
    var title: String?
    var blocks: [TextBlock]
}
