import ArgumentParser
import Domain
import HTTPService
import Logging

/// `admin consistency`: what `GET` and `POST /admin/consistency` do, to its end.
struct ConsistencyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consistency",
        abstract: "Compare Postgres, the vector engine and object storage.",
        discussion: """
            Ends with 1 when they differ: without --repair in anything, with it in what cannot be \
            repaired. What is left to workers is repaired when those have worked it off.
            """)

    @Flag(help: "Repair what can be repaired.")
    var repair = false

    private static let waitSeconds = 10

    func run() async throws {
        let repairs = repair
        try await CommandRun.run("consistency", works: true) { admin in
            let runs = admin.consistencyRuns
            var run = try await runs.begin(repairs: repairs, by: .commandLine)
            while run.state == .running {
                run = try await runs.wait(for: run, seconds: Self.waitSeconds)
                admin.logger.info(
                    "stores are being compared",
                    metadata: [
                        "run.id": "\(run.id)", "run.progress": "\(run.report.progress)",
                        "run.step": "\(run.report.step)",
                    ])
            }
            if let failure = run.failure { throw CommandFailure(description: failure.message) }
            try CommandRun.print(ConsistencyBody(run))
            let left = run.report.tallies.values.reduce(0) {
                $0 + (repairs ? $1.impossibleCount : $1.foundCount)
            }
            if left > 0 { throw ExitCode.failure }
        }
    }
}
