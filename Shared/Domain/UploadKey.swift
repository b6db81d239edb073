/// Under which keys uploads are stored: `uploads/`, an id, and what storage may add to it.
package enum UploadKey {
    private enum Stored {}

    package static let prefix = "uploads/"

    /// Bytes come before rows: what is younger than a day and has no row is an upload under way. No
    /// upload may take half as long.
    package static let abandonedSeconds = 24 * 3600

    package static func new() -> String { "\(prefix)\(Identifier<Stored>())" }

    /// Only such objects are ever ours to remove: others may keep theirs in the same place.
    package static func isOurs(_ key: String) -> Bool {
        guard key.hasPrefix(prefix) else { return false }
        let name = name(of: key)
        // Ours are written in one way alone.
        return Identifier<Stored>(name)?.description == name
    }

    /// The id in it, which tells an operator which file it is and nobody where it lies.
    package static func name(of key: String) -> String {
        String(key.dropFirst(prefix.count).prefix { $0 != "." })
    }
}
