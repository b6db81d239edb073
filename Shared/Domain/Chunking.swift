/// How texts are cut into chunks. Part of every index description and of every revision's id, so
/// that a new way of cutting makes new revisions beside the old ones.
package enum Chunking {
    /// Rises with every change of what the extraction or the chunker makes of the same bytes.
    static let algorithm = "1"

    /// Of the multilingual-e5 family.
    package static let defaultWindow = 512

    /// Names the algorithm and the embedding model's window, in tokens.
    package static func version(windowTokenCount: Int) -> String {
        "\(algorithm)/\(windowTokenCount)"
    }

    /// The window a version was made for; nil when it was not made here.
    package static func windowTokenCount(of version: String) -> Int? {
        let parts = version.split(separator: "/")
        return parts.count == 2 ? Int(parts[1]) : nil
    }
}
