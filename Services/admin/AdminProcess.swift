import ChildProcess
import ObjectStorage
import OutboundHTTP
import Postgres
import ServiceRuntime

/// Admin on what this process's environment names.
struct AdminProcess {
    let admin: Admin
    let connections: OutboundConnections

    /// - Parameter name: of the service or the command, for its log lines.
    init(_ name: String) throws {
        var reader = SettingsReader.ofProcess()
        let settings = AdminSettings(from: &reader)
        try reader.finish()
        let logger = JSONLog.bootstrap(service: name, level: settings.runtime.logLevel)
        warnAboutOldSettings(reader, logger: logger)
        connections = OutboundConnections(
            OutboundHTTP.makeClient(certificateFile: settings.runtime.certificateFile))
        admin = Admin(
            settings: settings,
            database: try PostgresConfiguration(
                url: settings.database.url, applicationName: "celine-admin",
                certificateFile: settings.runtime.certificateFile),
            storage: try makeObjectStorage(settings.storage, logger: logger),
            client: connections.client, executable: ChildProcess.ownExecutable, logger: logger)
    }
}
