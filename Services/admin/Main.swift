import ArgumentParser
import ChildProcess
import ObjectStorage
import OutboundHTTP
import Postgres
import ServiceRuntime

@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admin", abstract: "The operators' side of celine-assistant.",
        subcommands: [Serve.self, MigrateCommand.self, GitSnapshotCommand.self],
        defaultSubcommand: Serve.self)
}

extension Main {
    struct Serve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Serves the admin routes.")

        func run() async throws {
            var reader = SettingsReader.ofProcess()
            let settings = AdminSettings(from: &reader)
            try reader.finish()
            let logger = JSONLog.bootstrap(service: "admin", level: settings.runtime.logLevel)
            warnAboutOldSettings(reader, logger: logger)
            let connections = OutboundConnections(
                OutboundHTTP.makeClient(certificateFile: settings.runtime.certificateFile))
            let database = try PostgresConfiguration(
                url: settings.database.url, applicationName: "celine-admin",
                certificateFile: settings.runtime.certificateFile)
            let admin = Admin(
                settings: settings, database: database,
                storage: try makeObjectStorage(settings.storage, logger: logger),
                client: connections.client, executable: ChildProcess.ownExecutable, logger: logger)
            try await runService(
                "admin",
                services: [connections] + settings.runtime.metricsServers(logger: logger)
                    + admin.services(), logger: logger)
        }
    }
}
