import ArgumentParser
import Identity
import Logging
import OutboundHTTP
import ServiceRuntime

@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway", abstract: "The public door of celine-assistant.",
        subcommands: [Serve.self, GenerateKeys.self], defaultSubcommand: Serve.self)
}

extension Main {
    struct Serve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Serves the public port.")

        func run() async throws {
            var reader = SettingsReader.ofProcess()
            let settings = try GatewaySettings(from: &reader)
            let logger = JSONLog.bootstrap(service: "gateway", level: settings.runtime.logLevel)
            warnAboutOldSettings(reader, logger: logger)
            let certificates = settings.runtime.certificateFile
            let client = OutboundHTTP.makeClient(certificateFile: certificates)
            try await withOutboundConnections(client) {
                let gateway = try GatewayComposition(
                    settings: settings,
                    http: OutboundHTTP(client: client, peer: "identity", logger: logger),
                    logger: logger, accessLog: logger.logLevel <= .info ? .standardError : nil)
                try await runService(
                    "gateway",
                    services: settings.runtime.metricsServers(
                        [gateway.server.metrics], logger: logger) + gateway.services(),
                    logger: logger, stopWithin: .seconds(20) + settings.farewell)
            }
        }
    }

    struct GenerateKeys: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "generate-keys",
            abstract: "Prints a new pair of keys for the internal hop.")

        func run() {
            let keys = InternalKeys.generate()
            print("INTERNAL_AUTH_KEY=\(keys.privateKey)")
            print("INTERNAL_AUTH_PUBLIC_KEYS=\(keys.publicKey)")
        }
    }
}
