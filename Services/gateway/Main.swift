import ArgumentParser
import AsyncHTTPClient
import FoundationEssentials
import Identity
import Logging
import OutboundHTTP
import ServiceLifecycle
import UnixSignals

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
            let settings = try GatewaySettings(environment: ProcessInfo.processInfo.environment)
            let logger = Logger(label: "gateway")
            let client = OutboundHTTP.makeClient(certificateFile: settings.certificateFile)
            let gateway = try GatewayComposition(
                settings: settings,
                http: OutboundHTTP(client: client, peer: "gateway", logger: logger),
                logger: logger)
            let group = ServiceGroup(
                services: [gateway.keys, gateway.server],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
            do {
                try await group.run()
            } catch {
                logger.error("gateway failed", metadata: ["error": "\(error)"])
            }
            try await client.shutdown()
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
