import Domain

/// Under which keys uploads are stored: `uploads/`, an id, and what storage may add to it.
enum UploadKey {
    private enum Stored {}

    static let prefix = "uploads/"

    static func new() -> String { "\(prefix)\(Identifier<Stored>())" }

    /// Only such objects are ever ours to remove: others may keep theirs in the same place.
    static func isOurs(_ key: String) -> Bool {
        guard key.hasPrefix(prefix) else { return false }
        let name = key.dropFirst(prefix.count).prefix { $0 != "." }
        // Ours are written in one way alone.
        return Identifier<Stored>(String(name))?.description == String(name)
    }
}
