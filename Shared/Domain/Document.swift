internal import FoundationEssentials

/// Something that can be retrieved from: an upload or a page of the training materials.
///
/// Its id is the attachment's id for an upload, and UUIDv5(repository, path) for a page.
package struct Document: Sendable, Hashable {
    package typealias ID = Identifier<Document>

    package enum Kind: String, Sendable, Codable, CaseIterable {
        case upload
        case training
    }
}

/// One immutable content of a document, cut by one chunker.
package struct Revision: Sendable {
    package typealias ID = Identifier<Revision>

    /// UUIDv5(document, content hash, chunking version): the same work twice is the same row.
    package static func id(
        document: Document.ID, contentHash: [UInt8], chunkingVersion: String
    ) -> ID {
        ID(namespace: document.rawValue, name: "\(hexadecimal(contentHash))/\(chunkingVersion)")
    }
}

/// A piece of a revision, small enough for the embedding model's window.
package struct Chunk: Sendable, Hashable, Identifiable {
    package typealias ID = Identifier<Chunk>

    package let id: ID
    package let ordinal: Int
    /// What is shown and quoted.
    package let text: String
    /// 1-based; nil where the format has no pages.
    package let page: Int?
    /// Span in the revision's text, in Unicode scalars, end exclusive.
    package let span: Range<Int>
    /// Titles from the outermost heading to the nearest.
    package let headingPath: [String]
    package let language: Language
    /// Where its lines stand on the page; empty where that is not known.
    package let boxes: [LineBox]
    /// More than 1 for neighbours that were joined: id and ordinal are the first's.
    package let joinedCount: Int

    package init(
        revision: Revision.ID, ordinal: Int, text: String, page: Int?, span: Range<Int>,
        headingPath: [String], language: Language, boxes: [LineBox] = []
    ) {
        self.init(
            id: ID(namespace: revision.rawValue, name: String(ordinal)), ordinal: ordinal,
            text: text, page: page, span: span, headingPath: headingPath, language: language,
            boxes: boxes)
    }

    package init(
        id: ID, ordinal: Int, text: String, page: Int?, span: Range<Int>,
        headingPath: [String], language: Language, boxes: [LineBox] = [], joinedCount: Int = 1
    ) {
        self.id = id
        self.ordinal = ordinal
        self.text = text
        self.page = page
        self.span = span
        self.headingPath = headingPath
        self.language = language
        self.boxes = boxes
        self.joinedCount = joinedCount
    }

    /// What the model embeds and the lexical index analyses: the headings give the text its subject.
    package var embeddedText: String { Self.embeddedText(text, headingPath: headingPath) }

    package static func embeddedText(_ text: String, headingPath: [String]) -> String {
        headingPath.isEmpty ? text : headingPath.joined(separator: " › ") + "\n" + text
    }
}

/// The languages that have an analyser of their own. ISO 639-1.
package enum Language: String, Sendable, Codable, CaseIterable {
    case italian = "it"
    case english = "en"
    case spanish = "es"
    case french = "fr"
    case german = "de"
    /// Undecided, or without an analyser: folded, not stemmed.
    case other = "und"
}

/// Lower-case hexadecimal digits of some bytes.
package func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}
