import ChildProcess
import Logging
import ServiceLifecycle

/// Says at start, in one line, which protections are in force where documents are opened.
struct SandboxReport: Service {
    let sandbox: DocumentSandbox
    let logger: Logger

    /// In force wherever a child starts at all.
    private static let always = ["resource limits", "no new privileges", "own folder", "own group"]

    func run() async throws {
        do {
            let found = try await sandbox.protections()
            let missing = found.names(inForce: false)
            logger.log(
                level: found.isTight ? .info : .warning, "documents are opened in a sandbox",
                metadata: [
                    "sandbox.in_force": .array(
                        (Self.always + found.names(inForce: true)).map { .string($0) }),
                    "sandbox.missing": .array(missing.map { .string($0) }),
                ])
        } catch {
            logger.error("no document can be opened", metadata: ["reason": "\(error)"])
        }
        // A service that ended would end the others.
        try? await gracefulShutdown()
    }
}
