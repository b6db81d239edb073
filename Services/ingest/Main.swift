import ArgumentParser
import ChildProcess
import Database
import FoundationEssentials
import Logging
import OutboundHTTP
import ServiceRuntime

@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest", abstract: "Uploads, and the workers that index and erase.",
        subcommands: [
            Serve.self, ExtractCommand.self, RecogniseCommand.self, RenderCommand.self,
            SandboxCommand.self,
        ],
        defaultSubcommand: Serve.self)

    /// Readers of documents run here, on the main actor, while there is no other thread: threads
    /// are what the kernel confines.
    @MainActor static func main() async {
        do {
            var command = try parseAsRoot()
            if var service = command as? any AsyncParsableCommand {
                try await service.run()
            } else {
                try command.run()
            }
        } catch {
            exit(withError: error)
        }
    }

    struct Serve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Run the service.")

        func run() async throws {
            var reader = SettingsReader.ofProcess()
            let settings = IngestSettings(from: &reader)
            try reader.finish()
            let logger = JSONLog.bootstrap(service: "ingest", level: settings.runtime.logLevel)
            warnAboutOldSettings(reader, logger: logger)
            OwnFolder.removeAbandoned()
            if !hideFromOtherProcesses() {
                logger.warning("processes of the same user may read this one's environment")
            }
            let certificates = settings.runtime.certificateFile
            let client = OutboundHTTP.makeClient(certificateFile: certificates)
            try await withOutboundConnections(client) {
                var ingest = try Ingest(
                    settings: settings, client: client, executable: ChildProcess.ownExecutable,
                    logger: logger)
                let process = ProcessInfo.processInfo
                ingest.workerName = "\(process.hostName):\(process.processIdentifier)"
                try await Migrations.requireCompatible(ingest.pool)
                try await runService(
                    "ingest",
                    services: settings.runtime.metricsServers(logger: logger) + ingest.services(),
                    logger: logger)
            }
        }
    }
}
