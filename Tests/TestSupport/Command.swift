internal import Foundation

/// Runs a command to its end and gives back what it printed; a failure carries that too. The caller's
/// thread waits meanwhile: for what takes no time.
@discardableResult
package func runToEnd(
    _ executable: String, _ arguments: [String], environment: [String: String]? = nil,
    in folder: String? = nil
) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: executable)
    process.arguments = arguments
    if let environment { process.environment = environment }
    if let folder { process.currentDirectoryURL = URL(filePath: folder) }
    let pipe = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let printed = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
        throw CommandFailure(
            command: ([executable] + arguments).joined(separator: " "), printed: printed)
    }
    return printed
}

/// The same, while other tasks go on: they have a thread for each core, and no more.
@discardableResult
package func runToEnd(
    _ executable: String, _ arguments: [String], environment: [String: String]? = nil,
    in folder: String? = nil
) async throws -> String {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread {
            continuation.resume(
                with: Result {
                    try runToEnd(executable, arguments, environment: environment, in: folder)
                })
        }
    }
}

package struct CommandFailure: Error, CustomStringConvertible {
    let command: String
    let printed: String
    package var description: String { "\(command): \(printed)" }

    package init(command: String, printed: String) {
        self.command = command
        self.printed = printed
    }
}
