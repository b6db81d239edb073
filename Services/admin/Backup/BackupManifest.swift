import Database
import Domain
import FoundationEssentials

/// What an archive begins with: what is in it, and what reads it.
struct BackupManifest: Codable, Sendable {
    /// Of the archive's form; a reader refuses others.
    var format = Self.currentFormat
    /// Of the schema that the rows are from.
    let schemaVersion: Int
    /// The moment that the rows are of, in seconds since 1970.
    let madeAt: Int
    /// A table before those that refer to it.
    let tables: [StoredTable]

    static let currentFormat = 1
    static let name = "manifest.json"

    private enum CodingKeys: String, CodingKey {
        case format, tables
        case schemaVersion = "schema_version"
        case madeAt = "made_at"
    }
}

/// What an archive ends with: whoever finds it has the whole, as it was written.
struct BackupSummary: Codable, Sendable {
    /// By table.
    var rows: [String: Int] = [:]
    var fileCount = 0
    var fileByteCount = 0
    /// Uploads of which the storage has not what was uploaded, by file: their rows are here alone.
    var lost: [String: Attachment.ID] = [:]
    /// Uploads that were deleted while the archive was being written, by file.
    var deleted: [String: Attachment.ID] = [:]
    /// Over the names, lengths and bytes of all entries before, SHA-256 in hexadecimal.
    var digest = ""

    static let name = "end.json"

    /// Whether a file of the archive is not to be brought back.
    func isVoid(file: String) -> Bool { lost[file] != nil || deleted[file] != nil }

    private enum CodingKeys: String, CodingKey {
        case rows, lost, deleted
        case fileCount = "files"
        case fileByteCount = "file_bytes"
        case digest = "sha256"
    }
}

/// Names of an archive's entries: `manifest.json`, `rows/<table>/<number>`, `files/<id>`, `end.json`.
enum BackupEntry: Hashable {
    /// A part of a table, in the text format of Postgres's `COPY`.
    case rows(table: String)
    /// The bytes of an upload, as they were uploaded; by the id in its storage key.
    case file(id: String)

    init?(_ name: String) {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        switch (parts.first, parts.count) {
        case ("rows", 3): self = .rows(table: parts[1])
        case ("files", 2) where UploadKey.isOurs(UploadKey.prefix + parts[1]):
            self = .file(id: parts[1])
        default: return nil
        }
    }

    static func rowsName(_ table: String, part: Int) -> String {
        let number = String(part)
        return "rows/\(table)/\(String(repeating: "0", count: max(0, 6 - number.count)))\(number)"
    }

    static func fileName(of key: String) -> String { "files/\(UploadKey.name(of: key))" }
}

/// Why there is no archive, or nothing was brought back from it.
enum BackupFailure: Error, CustomStringConvertible, Equatable {
    case fileExists(String)
    case file(String, reason: String)
    case otherFormat(Int)
    case damaged(String)
    /// The database's is newer than we are.
    case schemaAhead(found: Int, known: Int)
    /// The database's is not the archive's.
    case schema(found: Int, needed: Int)
    case newerArchive(schema: Int, known: Int)
    case notEmpty(table: String)
    case isRunning
    /// Collections that have our deployment's name.
    case indexExists([String])
    /// Files of the same names with other bytes.
    case otherFiles(keys: [String])

    var description: String {
        switch self {
        case .fileExists(let path): "\(path) is there already"
        case .file(let path, let reason): "\(path): \(reason)"
        case .otherFormat(let format): "the archive's format is \(format), which this does not read"
        case .damaged(let reason): "the archive is damaged: \(reason)"
        case .schemaAhead(let found, let known):
            "the database's schema is version \(found), and this knows \(known): take a newer version"
        case .schema(let found, let needed):
            "the database's schema is version \(found), and the archive's is \(needed): drop the "
                + "empty schema, it is made anew"
        case .newerArchive(let schema, let known):
            "the archive's schema is version \(schema), and this knows \(known): take a newer version"
        case .notEmpty(let table):
            "the database is in use (\(table)): stop the services, and restore into an empty one"
        case .isRunning: "workers are running: stop ingest first"
        case .indexExists(let names):
            "the vector engine holds collections of this QDRANT_COLLECTION already "
                + "(\(names.joined(separator: ", "))): if they are nobody's any more, --replace-index "
                + "removes them"
        case .otherFiles(let keys):
            "the storage holds other files of the same names: \(keys.joined(separator: ", "))"
        }
    }
}
