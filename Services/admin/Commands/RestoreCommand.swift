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
    var file: String
    @Flag(help: "Only read it, and tell what is in it.")
    var check = false

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

    func run() async throws {
        let (path, checks) = (file, check)
        try await CommandRun.run("restore") { admin in
            let archive = try BackupArchive(path: path)
            let points = checks ? nil : try await admin.restore.restore(archive)
            try CommandRun.print(
                Result(
                    madeAt: archive.manifest.madeAt,
                    schemaVersion: archive.manifest.schemaVersion, contents: archive.summary,
                    points: points))
        }
    }
}
