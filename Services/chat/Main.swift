import ArgumentParser
import Database
import OutboundHTTP
import Postgres
import ServiceRuntime

@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat", abstract: "Conversations and answers of celine-assistant.",
        subcommands: [Serve.self], defaultSubcommand: Serve.self)
}

extension Main {
    struct Serve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Serves the internal port.")

        func run() async throws {
            var reader = SettingsReader.ofProcess()
            let settings = ChatSettings(from: &reader)
            try reader.finish()
            let logger = JSONLog.bootstrap(service: "chat", level: settings.runtime.logLevel)
            warnAboutOldSettings(reader, logger: logger)
            let certificates = settings.runtime.certificateFile
            let client = Chat.makeClient(certificateFile: certificates)
            try await withOutboundConnections(client) {
                let chat = Chat(
                    settings: settings,
                    database: try PostgresConfiguration(
                        url: settings.database.url, applicationName: "celine-chat",
                        certificateFile: certificates),
                    client: client, logger: logger)
                try await Migrations.requireCompatible(chat.pool)
                try await runService(
                    "chat",
                    services: settings.runtime.metricsServers(logger: logger) + chat.services(),
                    logger: logger)
            }
        }
    }
}
