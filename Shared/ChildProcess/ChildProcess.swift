import Glibc
import Subprocess
import SystemPackage

/// A program run once, within limits, and gone with all it started when it is over.
///
/// util-linux sets the limits between fork and exec: `setpriv` takes away the way to new
/// privileges, `prlimit` bounds what the program may use. It gets a session, an empty folder and
/// an environment of its own, and no open files but the three standard ones.
package struct ChildProcess: Sendable {
    package struct Limits: Sendable, Hashable {
        package var addressSpaceByteCount: Int
        package var cpuSeconds: Int
        /// Of the largest file it writes.
        package var fileByteCount: Int
        package var openFileCount: Int
        package var wallTime: Duration

        package init(
            addressSpaceByteCount: Int = 1 << 30, cpuSeconds: Int = 20,
            fileByteCount: Int = 64 << 20, openFileCount: Int = 64,
            wallTime: Duration = .seconds(30)
        ) {
            self.addressSpaceByteCount = addressSpaceByteCount
            self.cpuSeconds = cpuSeconds
            self.fileByteCount = fileByteCount
            self.openFileCount = openFileCount
            self.wallTime = wallTime
        }
    }

    /// What the program reads from its standard input.
    package enum Input: Sendable {
        case nothing
        case bytes([UInt8])
        case file(path: String)
    }

    package struct Output: Sendable {
        package let stdout: [UInt8]
        /// Its beginning, for logs of ours: a program writes there what it likes.
        package let stderr: String
    }

    /// Enough to see what a program complains about.
    static let errorByteCountMax = 16 << 10

    let executable: String
    let arguments: [String]
    let environment: [String: String]
    let limits: Limits
    let input: Input
    let outputByteCountMax: Int

    package init(
        executable: String, arguments: [String] = [], environment: [String: String] = [:],
        limits: Limits = Limits(), input: Input = .nothing, outputByteCountMax: Int
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.limits = limits
        self.input = input
        self.outputByteCountMax = outputByteCountMax
    }

    /// This very program, for subcommands that must not run in the service's own process.
    package static var ownExecutable: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { return CommandLine.arguments.first ?? "" }
        return String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Returns what it wrote if it exits with 0.
    package func run() async throws(ChildError) -> Output {
        let folder = try OwnFolder()
        defer { folder.remove() }
        return try await run(in: folder)
    }

    /// The same in a folder that its caller has made, and has put the input into perhaps.
    package func run(in folder: OwnFolder) async throws(ChildError) -> Output {
        guard access(executable, X_OK) == 0 else { throw .notStarted("the program is not there") }
        do {
            return try await withThrowingTaskGroup(of: Output.self) { group in
                defer { group.cancelAll() }
                group.addTask { try await finish(in: folder) }
                group.addTask {
                    try await Task.sleep(for: limits.wallTime)
                    throw ChildError.timedOut
                }
                guard let output = try await group.next() else { throw ChildError.cancelled }
                return output
            }
        } catch {
            if Task.isCancelled { throw .cancelled }
            throw error as? ChildError ?? .notStarted("\(error)")
        }
    }

    private func finish(in folder: OwnFolder) async throws -> Output {
        let record = try await execute(in: folder)
        // Whatever the program left behind: its session is not ours, so its group is its own.
        killpg(record.processIdentifier.value, SIGKILL)
        let (stdout, stderr) = record.closureResult
        switch record.terminationStatus {
        case .exited(0): return Output(stdout: stdout, stderr: stderr)
        case .exited(let code): throw ChildError.exited(code: code, stderr: stderr)
        case .signaled(let signal): throw ChildError.signalled(signal)
        }
    }

    private func execute(
        in folder: OwnFolder
    ) async throws -> ExecutionResult<([UInt8], String), SequenceOutput, SequenceOutput> {
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [
            .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))
        ]
        let standardInput = FileDescriptor(rawValue: try folder.open(input))
        var pairs: [Environment.Key: String] = [:]
        for (name, value) in environment {
            if let key = Environment.Key(rawValue: name) { pairs[key] = value }
        }
        return try await Subprocess.run(
            .path(FilePath(LimitedCommand.launcher)),
            arguments: Arguments(LimitedCommand.arguments(executable, arguments, limits)),
            environment: .custom(pairs), workingDirectory: FilePath(folder.path),
            platformOptions: options,
            input: .fileDescriptor(standardInput, closeAfterSpawningProcess: true),
            output: .sequence, error: .sequence
        ) { execution in
            let group = execution.processIdentifier.value
            return try await withTaskCancellationHandler {
                do {
                    return try await collect(execution.standardOutput, execution.standardError)
                } catch {
                    killpg(group, SIGKILL)
                    throw error
                }
            } onCancel: {
                killpg(group, SIGKILL)
            }
        }
    }

    private func collect(
        _ stdout: SubprocessOutputSequence, _ stderr: SubprocessOutputSequence
    ) async throws -> ([UInt8], String) {
        async let complaint = Self.beginning(of: stderr)
        var bytes: [UInt8] = []
        for try await buffer in stdout {
            guard bytes.count + buffer.count <= outputByteCountMax else {
                throw ChildError.outputTooLarge
            }
            buffer.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        return (bytes, try await complaint)
    }

    /// All of it is read, so that the program never waits for us; the rest is dropped.
    private static func beginning(of stderr: SubprocessOutputSequence) async throws -> String {
        var bytes: [UInt8] = []
        for try await buffer in stderr where bytes.count < errorByteCountMax {
            buffer.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        return String(decoding: bytes.prefix(errorByteCountMax), as: UTF8.self)
    }
}

/// Why a program gave no output.
package enum ChildError: Error, Hashable {
    case timedOut
    case outputTooLarge
    /// Its own exit code, and the beginning of what it wrote to standard error.
    case exited(code: Int32, stderr: String)
    /// Ended by a signal: over a limit, crashed, or killed.
    case signalled(Int32)
    case notStarted(String)
    /// Our own task was cancelled; the program is killed.
    case cancelled
}
