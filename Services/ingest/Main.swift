import ArgumentParser
import ChildProcess
import Database
import OutboundHTTP
import ServiceRuntime

@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest", abstract: "Uploads, and the workers that index and erase.",
        subcommands: [Serve.self, ExtractCommand.self], defaultSubcommand: Serve.self)

    struct Serve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Run the service.")

        func run() async throws {
            var reader = SettingsReader.ofProcess()
            let settings = IngestSettings(from: &reader)
            try reader.finish()
            let logger = JSONLog.bootstrap(service: "ingest", level: settings.runtime.logLevel)
            warnAboutOldSettings(reader, logger: logger)
            let client = OutboundHTTP.makeClient(certificateFile: settings.runtime.certificateFile)
            let ingest = try Ingest(
                settings: settings, client: client, executable: ChildProcess.ownExecutable,
                logger: logger)
            try await Migrations.requireCompatible(ingest.pool)
            try await runService(
                "ingest", services: [OutboundConnections(client)] + ingest.services(),
                logger: logger)
        }
    }
}
