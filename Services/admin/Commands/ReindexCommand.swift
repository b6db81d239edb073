import ArgumentParser
import Database
import Domain
import HTTPService
import JobQueue
import Logging
import Postgres

/// `admin reindex`: what `POST /admin/ingest` does. Workers have to run.
struct ReindexCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reindex",
        abstract: "Have an upload, what needs it, or everything indexed again.",
        discussion: """
            Without an id or --all: what failed, or is missing in the live index. With --wait it ends \
            with 1 when what was asked for did not come about.
            """)

    @Argument(help: "An upload's id.")
    var id: String?
    @Flag(help: "Build a new index beside the live one.")
    var all = false
    @Flag(help: "Wait until the upload is indexed, or the new index is live.")
    var wait = false

    private static let lookInterval = Duration.seconds(2)

    func validate() throws {
        if all, id != nil { throw ValidationError("--all is for everything, an id for one upload") }
        if wait, !all, id == nil { throw ValidationError("--wait needs an id, or --all") }
    }

    func run() async throws {
        let command = self
        try await CommandRun.run("reindex") { admin in
            if let id = command.id {
                try await command.reindex(id, admin)
            } else if command.all {
                try await command.reindexAll(admin)
            } else {
                let counts = try await admin.reindexing.queueUnindexed(
                    as: Self.request("unindexed"))
                try CommandRun.print(
                    IngestRoutes.Counted(queued: counts.queued, skipped: counts.skipped))
            }
        }
    }

    private static func request(_ meaning: String) -> Reindexing.Repeatable {
        Reindexing.Repeatable(request: nil, meaning: meaning, author: .commandLine)
    }

    private func reindex(_ text: String, _ admin: Admin) async throws {
        guard let id = Attachment.ID(text) else { throw Problem.attachmentNotFound }
        let job = try await admin.reindexing.queue(id, as: Self.request("attachment \(id)"))
        try CommandRun.print(IngestRoutes.Queued(jobID: job, attachmentID: id))
        guard wait else { return }
        while true {
            let state = try await admin.pool.read { try JobOverviewStore($0).find(job)?.state }
            if state == nil || state == .done { return }
            if state?.isEnd == true { throw CommandFailure(description: "it was not indexed") }
            try await Task.sleep(for: Self.lookInterval)
        }
    }

    private func reindexAll(_ admin: Admin) async throws {
        let build = try await admin.reindexing.buildAll(as: Self.request("all"))
        try CommandRun.print(
            IngestRoutes.Building(jobID: build.job, generation: build.generation))
        guard wait else { return }
        while let blockers = try await blockers(of: build.generation, admin) {
            // A model may come back; the others need somebody who does something about them.
            guard blockers.allSatisfy({ $0 == GenerationBlocker.questionModelAway.rawValue }) else {
                throw CommandFailure(
                    description: "the new index is held back: "
                        + blockers.joined(separator: ", "))
            }
            try await Task.sleep(for: Self.lookInterval)
        }
    }

    /// What keeps a generation from being live at the moment, other than that it is not whole yet; nil
    /// when it is live.
    private func blockers(of number: Int, _ admin: Admin) async throws -> [String]? {
        let found = try await admin.pool.read(deadline: .seconds(60)) {
            try GenerationOverviewStore($0).list().first { $0.generation.number == number }
        }
        guard let found else { throw Problem.generationNotFound }
        switch found.generation.state {
        case .live: return nil
        case .retired, .dropped: throw CommandFailure(description: "the building was given up")
        case .building:
            admin.logger.info(
                "index generation is being built",
                metadata: [
                    "document.count": "\(found.documentCount)",
                    "document.missing": "\(found.missing?.count ?? 0)",
                    "blocked_by": "\(found.blockers.joined(separator: " "))",
                ])
            return found.blockers
        }
    }
}
