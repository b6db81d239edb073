/// How much of a document is read before it is refused. Given to the child as an argument.
struct ReadingLimits: Sendable, Hashable, Codable {
    /// Of all that a container unpacks to, in bytes.
    var unpackedByteCountMax = 200 << 20
    /// Of a container's entries.
    var entryCountMax = 10_000
    /// Of elements, arrays or parts inside one another.
    var depthMax = 128
    var pageCountMax = 2_000
    /// Pages read by character recognition: each takes a second or more.
    var recognisedPageCountMax = 50
    /// Of one picture.
    var pixelCountMax = 50_000_000
    /// Of paragraphs, headings, tables and the like.
    var blockCountMax = 100_000
    /// Of the text, in bytes.
    var textByteCountMax = 16 << 20
}
