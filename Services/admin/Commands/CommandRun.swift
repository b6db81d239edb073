import ArgumentParser
import Database
import FoundationEssentials
import HTTPService
import ServiceLifecycle
import ServiceRuntime

/// Runs one command on all that the service stands on, and ends. Its result is a line of JSON on standard
/// output; what happens meanwhile are log lines on standard error.
enum CommandRun {
    /// - Parameters:
    ///   - works: whether comparisons are carried out here, if nobody else does it first.
    ///   - needsSchema: whether the database has to be as this version needs it.
    static func run(
        _ name: String, works: Bool = false, needsSchema: Bool = true,
        _ body: @escaping @Sendable (Admin) async throws -> Void
    ) async throws {
        try await AdminProcess.run(name) { admin in
            if needsSchema { try await Migrations.requireCompatible(admin.pool) }
            do {
                try await runService(
                    name,
                    services: [admin.pool, admin.listener] + (works ? [admin.worker] : [])
                        + [Command(admin: admin, body: body)], logger: admin.logger)
            } catch let problem as Problem {
                throw CommandFailure(description: problem.detail)
            }
        }
    }

    static func print(_ result: some Encodable) throws {
        Swift.print(String(decoding: try JSONEncoder.sorted.encode(result), as: UTF8.self))
    }
}

/// Why a command did nothing, or not all.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
}

/// The command among the services it needs: they end with it, and it with a signal.
private struct Command: Service {
    let admin: Admin
    let body: @Sendable (Admin) async throws -> Void

    func run() async throws {
        let (admin, body) = (admin, body)
        try await cancelWhenGracefulShutdown { try await body(admin) }
    }
}
