import Database
package import Domain

/// What a question found, best first.
package struct RetrievalResult: Sendable {
    /// Empty when nothing is about the question.
    package var chunks: [RetrievedChunk]
    /// A part of the search was away, so that better chunks may have been missed.
    package var isDegraded: Bool

    package init(chunks: [RetrievedChunk], isDegraded: Bool) {
        self.chunks = chunks
        self.isDegraded = isDegraded
    }
}

/// A chunk that the asker may read, and where it comes from.
package struct RetrievedChunk: Sendable, Hashable {
    package let chunk: Chunk
    package let documentID: Document.ID
    package let kind: Document.Kind
    package let title: String
    /// A training page's place in its repository, and its address.
    package let path: String?
    package let url: String?
    package let tags: [String]
    /// Comparable within one result only; never rises along the list.
    package var score: Double

    package init(
        chunk: Chunk, documentID: Document.ID, kind: Document.Kind, title: String, path: String?,
        url: String?, tags: [String], score: Double
    ) {
        self.chunk = chunk
        self.documentID = documentID
        self.kind = kind
        self.title = title
        self.path = path
        self.url = url
        self.tags = tags
        self.score = score
    }

    package var attachmentID: Attachment.ID? {
        kind == .upload ? Attachment.ID(rawValue: documentID.rawValue) : nil
    }

    init(_ shown: ShownChunk, score: Double) {
        self.init(
            chunk: shown.chunk, documentID: shown.documentID, kind: shown.kind,
            title: shown.title, path: shown.path, url: shown.url, tags: shown.tags,
            score: score)
    }
}
