import Crypto
import Domain
import JobQueue
import MarkdownPages

/// What is to be indexed: a document and where its content is.
struct IndexableDocument: Sendable {
    enum Content: Sendable {
        /// An upload's bytes in storage.
        case stored(key: String, byteCount: Int)
        /// A page's Markdown, from its row.
        case markdown(String)
    }

    let id: Document.ID
    let kind: Document.Kind
    let owner: Owner
    /// SHA-256 of the bytes: the same content cut the same way is the same revision.
    let contentHash: [UInt8]
    let content: Content
    let format: Extraction.Format
    /// What the document says of itself; nil leaves it to be recognised, chunk by chunk.
    let language: Language?

    init(_ attachment: Attachment) throws(JobFailure) {
        guard let format = Extraction.Format(contentType: attachment.contentType) else {
            throw .giveUp(
                code: "unsupported_type", message: "Files of this type cannot be read.")
        }
        self.format = format
        id = attachment.documentID
        kind = .upload
        owner = attachment.owner
        contentHash = attachment.sha256
        language = nil
        content = .stored(key: attachment.storageKey, byteCount: attachment.byteCount)
    }

    init(page: Document.ID, markdown: String) {
        id = page
        kind = .training
        owner = .shared
        contentHash = Array(SHA256.hash(data: Array(markdown.utf8)))
        content = .markdown(markdown)
        format = .markdown
        language = FrontMatter(of: markdown).language.flatMap(Language.init(rawValue:))
    }
}
