import Foundation
import Synchronization

/// One of our processes, started from its binary with an environment of its own.
///
/// What it logs goes to a file, named when something fails.
final class RunningProcess: Sendable {
    let name: String
    let logFile: String
    let identifier: pid_t
    private let binary: String
    private let environment: [String: String]
    private let folder: String
    private let process: Mutex<Process>

    init(
        _ binary: String, _ arguments: [String] = [], environment: [String: String],
        in folder: String
    )
        throws
    {
        self.binary = binary
        self.environment = environment
        self.folder = folder
        name = URL(filePath: binary).lastPathComponent
        logFile = "\(folder)/\(name)-\(UUID().uuidString.prefix(4)).log"
        _ = FileManager.default.createFile(atPath: logFile, contents: nil)
        let log = try FileHandle(forWritingTo: URL(filePath: logFile))
        let process = Process()
        let command = Self.withoutPrivileges(name) + [binary] + arguments
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        process.environment = environment
        process.standardOutput = log
        process.standardError = log
        try process.run()
        identifier = process.processIdentifier
        self.process = Mutex(process)
    }

    /// As root the gateway, which starts no children, would be let do what it may not in the image.
    private static func withoutPrivileges(_ name: String) -> [String] {
        guard geteuid() == 0, name == "gateway" else { return [] }
        return [
            "/usr/bin/setpriv", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", "--",
        ]
    }

    /// One like it, at the same address.
    func startedAgain() throws -> RunningProcess {
        try RunningProcess(binary, environment: environment, in: folder)
    }

    /// As an orchestrator asks: it finishes what it began.
    func terminate() { send(SIGTERM) }

    /// As a machine dies.
    func kill9() { send(SIGKILL) }

    func pause() { send(SIGSTOP) }

    func resume() { send(SIGCONT) }

    var isRunning: Bool { process.withLock { $0.isRunning } }

    /// Whether it has begun to serve, or will not.
    var hasStartedOrEnded: Bool { log.contains("service starts") || !isRunning }

    /// Nil while it runs, and when a signal has ended it.
    var exitCode: Int32? {
        process.withLock {
            $0.isRunning || $0.terminationReason != .exit ? nil : $0.terminationStatus
        }
    }

    /// To nobody when it has ended: its number may be another's by then.
    private func send(_ signal: Int32) {
        process.withLock { if $0.isRunning { kill(identifier, signal) } }
    }

    /// Resident memory in kilobytes, from the kernel.
    var residentKilobytes: Int { kilobytes("VmRSS") }

    /// The most it ever held.
    var peakKilobytes: Int { kilobytes("VmHWM") }

    private func kilobytes(_ name: String) -> Int {
        guard
            let status = try? String(contentsOfFile: "/proc/\(identifier)/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("\(name):") })
        else { return 0 }  // it has ended
        return line.split(separator: " ").compactMap { Int($0) }.first ?? 0
    }

    var log: String {
        // A log that cannot be read is shown as such; the failure it would explain stays.
        (try? String(contentsOfFile: logFile, encoding: .utf8)) ?? "(no log)"
    }
}
