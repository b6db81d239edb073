import ArgumentParser
import Database
import ServiceRuntime

@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admin", abstract: "The operators' side of celine-assistant.",
        subcommands: [
            Serve.self, SyncCommand.self, ReindexCommand.self, ConsistencyCommand.self,
            BackupCommand.self, RestoreCommand.self, MigrateCommand.self, GitSnapshotCommand.self,
        ], defaultSubcommand: Serve.self)
}

extension Main {
    struct Serve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Serves the admin routes.")

        func run() async throws {
            try await AdminProcess.run("admin") { admin in
                try await Migrations.requireCompatible(admin.pool)
                try await runService(
                    "admin",
                    services: admin.settings.runtime.metricsServers(logger: admin.logger)
                        + admin.services(), logger: admin.logger)
            }
        }
    }
}
