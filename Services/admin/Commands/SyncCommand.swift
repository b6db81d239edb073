import ArgumentParser
import Domain

/// `admin sync`: what `POST /admin/training-materials/sync` does. Workers have to run.
struct SyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: "Bring the training materials to a commit of their repository.",
        discussion: "Ends with 1 when pages could not be indexed, or not in time.")

    @Argument(help: "A branch, tag or commit; TRAINING_MATERIALS_REF if there is none.")
    var ref: String?
    @Flag(help: "Tell what became of each page.")
    var verbose = false
    @Option(help: "How many seconds to wait for the workers.")
    var wait = 600

    func validate() throws {
        guard (0...86_400).contains(wait) else { throw ValidationError("--wait is 0 to 86400") }
    }

    func run() async throws {
        let (ref, verbose, wait) = (ref, verbose, wait)
        try await CommandRun.run("sync") { admin in
            let report = try await admin.materials.syncOrSayWhy(
                to: ref, by: .commandLine, isVerbose: verbose, waitMax: .seconds(wait))
            try CommandRun.print(report)
            guard report.isDone, report.ingest.failed == 0 else { throw ExitCode.failure }
        }
    }
}
