import ArgumentParser
import Database
import Logging
import Postgres
import ServiceRuntime

/// `admin migrate`: brings the database's schema to this version. Run before the services.
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Bring the database's schema to this version.")

    /// A database that starts beside us is there within seconds.
    private static let attemptCountMax = 30
    private static let pause = Duration.seconds(2)

    func run() async throws {
        var reader = SettingsReader.ofProcess()
        let runtime = RuntimeSettings(from: &reader)
        let database = DatabaseSettings(from: &reader)
        try reader.finish()
        let logger = JSONLog.bootstrap(service: "migrate", level: runtime.logLevel)
        let pool = PostgresPool(
            try PostgresConfiguration(
                url: database.url, applicationName: "celine-migrate",
                certificateFile: runtime.certificateFile),
            connectionCountMax: 2, waitMax: .seconds(10), logger: logger)
        for attempt in 1... {
            do {
                try await Migrations.run(pool, logger: logger)
                break
            } catch let error as PostgresError where attempt < Self.attemptCountMax {
                guard case .unreachable = error else { throw error }
                logger.warning("database is not there yet", metadata: ["reason": "\(error)"])
                try await Task.sleep(for: Self.pause)
            }
        }
        await pool.close()
        logger.info("schema is current", metadata: ["version": "\(Migrations.current)"])
    }
}
