package import Logging
package import ServiceLifecycle
import UnixSignals

/// Runs everything a process consists of until SIGTERM or SIGINT, then stops it in reverse order.
///
/// What has not stopped by itself within `stopWithin` is cancelled: an orchestrator kills after
/// 30 seconds, and a cancelled job hands its lease back while a killed one does not.
package func runService(
    _ name: String, services: [any Service], logger: Logger, stopWithin: Duration = .seconds(20)
) async throws {
    var configuration = ServiceGroupConfiguration(
        services: services.map {
            .init(
                service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
                failureTerminationBehavior: .gracefullyShutdownGroup)
        },
        gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    configuration.maximumGracefulShutdownDuration = stopWithin
    configuration.maximumCancellationDuration = .seconds(5)
    logger.info("service starts", metadata: ["service.name": "\(name)"])
    try await ServiceGroup(configuration: configuration).run()
    logger.info("service stopped", metadata: ["service.name": "\(name)"])
}

/// Says once which settings of the replaced service are set and mean nothing here.
package func warnAboutOldSettings(_ reader: SettingsReader, logger: Logger) {
    let names = reader.oldSettings
    guard !names.isEmpty else { return }
    logger.warning(
        "settings without effect are set",
        metadata: ["settings": .array(names.map { .string($0) })])
}
