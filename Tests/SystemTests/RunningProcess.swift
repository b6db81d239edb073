import Foundation

/// One of our processes, started from its binary with an environment of its own.
///
/// What it logs goes to a file, named when something fails.
final class RunningProcess: Sendable {
    let name: String
    let logFile: String
    private let identifier: pid_t

    init(
        _ binary: String, _ arguments: [String] = [], environment: [String: String],
        in folder: String
    )
        throws
    {
        name = URL(filePath: binary).lastPathComponent
        logFile = "\(folder)/\(name)-\(UUID().uuidString.prefix(4)).log"
        _ = FileManager.default.createFile(atPath: logFile, contents: nil)
        let log = try FileHandle(forWritingTo: URL(filePath: logFile))
        let process = Process()
        process.executableURL = URL(filePath: binary)
        process.arguments = arguments
        process.environment = environment
        process.standardOutput = log
        process.standardError = log
        try process.run()
        identifier = process.processIdentifier
    }

    /// As an orchestrator asks: it finishes what it began.
    func terminate() { kill(identifier, SIGTERM) }

    /// As a machine dies.
    func kill9() { kill(identifier, SIGKILL) }

    func pause() { kill(identifier, SIGSTOP) }

    func resume() { kill(identifier, SIGCONT) }

    var isRunning: Bool { kill(identifier, 0) == 0 }

    /// Resident memory in kilobytes, from the kernel.
    var residentKilobytes: Int {
        guard
            let status = try? String(contentsOfFile: "/proc/\(identifier)/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") })
        else { return 0 }  // it has ended
        return line.split(separator: " ").compactMap { Int($0) }.first ?? 0
    }

    var log: String {
        // A log that cannot be read is shown as such; the failure it would explain stays.
        (try? String(contentsOfFile: logFile, encoding: .utf8)) ?? "(no log)"
    }
}

/// Runs a command to its end; a failure carries what it printed.
func runToEnd(
    _ executable: String, _ arguments: [String], environment: [String: String]? = nil,
    in folder: String? = nil
) throws {
    let process = Process()
    process.executableURL = URL(filePath: executable)
    process.arguments = arguments
    if let environment { process.environment = environment }
    if let folder { process.currentDirectoryURL = URL(filePath: folder) }
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let printed = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
        throw CommandFailure(
            command: ([executable] + arguments).joined(separator: " "),
            printed: String(decoding: printed, as: UTF8.self))
    }
}

struct CommandFailure: Error, CustomStringConvertible {
    let command: String
    let printed: String
    var description: String { "\(command): \(printed)" }
}

/// A free port of 127.0.0.1, as the kernel gives it.
func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
        }
    }
    guard bound else { throw CommandFailure(command: "bind", printed: "no free port") }
    return Int(UInt16(bigEndian: address.sin_port))
}
