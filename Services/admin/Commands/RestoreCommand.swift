import ArgumentParser
import Domain
import FoundationEssentials

/// `admin restore`: everything back from one archive.
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Bring back the rows and files of an archive, and make the index from them.",
        discussion: """
            Into an empty database, with the services stopped; the schema is made where there is none. \
            No model is asked. The archive is read as a whole before anything is written.
            """)

    @Argument(help: "A file that `admin backup` wrote.")
    var file: String?
    @Flag(help: "Only read the file, and tell what is in it.")
    var check = false
    @Flag(help: "Remove collections that have this deployment's name.")
    var replaceIndex = false
    @Flag(help: "Only make the index anew, of the rows there are.")
    var indexOnly = false

    func validate() throws {
        guard (file == nil) == indexOnly else {
            throw ValidationError("Give a file, or --index-only without one")
        }
        if indexOnly, check || replaceIndex {
            throw ValidationError("--index-only goes with nothing else")
        }
    }

    private struct Result: Encodable {
        let madeAt: Int
        let schemaVersion: Int
        let contents: BackupSummary
        /// Absent when nothing was restored.
        let points: Int?

        private enum CodingKeys: String, CodingKey {
            case contents, points
            case madeAt = "made_at"
            case schemaVersion = "schema_version"
        }
    }

    private struct Filled: Encodable {
        let points: Int
    }

    func run() async throws {
        let command = self
        try await CommandRun.run("restore", needsSchema: false) { admin in
            guard let path = command.file else {
                return try CommandRun.print(Filled(points: try await admin.restore.restoreIndex()))
            }
            let archive = try BackupArchive(path: path)
            let points =
                command.check
                ? nil
                : try await admin.restore.restore(archive, replacesIndex: command.replaceIndex)
            try CommandRun.print(
                Result(
                    madeAt: archive.manifest.madeAt,
                    schemaVersion: archive.manifest.schemaVersion, contents: archive.summary,
                    points: points))
        }
    }
}
