import ChildProcess
import ObjectStorage
import OutboundHTTP
import Postgres
import ServiceRuntime

/// Admin on what this process's environment names.
enum AdminProcess {
    /// - Parameter name: of the service or the command, for its log lines.
    static func run(_ name: String, _ body: (Admin) async throws -> Void) async throws {
        var reader = SettingsReader.ofProcess()
        let settings = AdminSettings(from: &reader)
        try reader.finish()
        let logger = JSONLog.bootstrap(service: name, level: settings.runtime.logLevel)
        warnAboutOldSettings(reader, logger: logger)
        let certificates = settings.runtime.certificateFile
        let client = OutboundHTTP.makeClient(certificateFile: certificates)
        try await withOutboundConnections(client) {
            let admin = Admin(
                settings: settings,
                database: try PostgresConfiguration(
                    url: settings.database.url, applicationName: "celine-admin",
                    certificateFile: certificates),
                storage: try makeObjectStorage(settings.storage, logger: logger),
                client: client, executable: ChildProcess.ownExecutable, logger: logger)
            try await body(admin)
        }
    }
}
