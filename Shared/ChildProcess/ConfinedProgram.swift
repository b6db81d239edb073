import CLinux
import Glibc

/// A program of others that a confined process starts and waits for. It has the process's limits
/// and confinement, can start nothing itself, and reads its input from files in the own folder.
package struct ConfinedProgram {
    package enum Outcome: Equatable {
        case exited(CInt)
        /// Over the limit of processor time.
        case timedOut
        case signalled(CInt)
    }

    package struct Result {
        package let outcome: Outcome
        package let output: [UInt8]
        /// The beginning of what it wrote to standard error.
        package let complaint: String
    }

    package enum Failure: Error {
        /// It wrote more than it may. Whoever started us ends it.
        case outputTooLarge
        case notStarted
    }

    private static let complaintByteCountMax = 16 << 10
    /// One thread each: a document has one processor. Temporary files stay in the own folder.
    private static let environment = [
        "HOME=.", "TMPDIR=.", "LC_ALL=C.UTF-8", "OMP_THREAD_LIMIT=1", "OMP_NUM_THREADS=1",
    ]

    package static func run(
        _ path: String, _ arguments: [String], outputByteCountMax: Int
    ) throws(Failure) -> Result {
        let complaints = open("complaints", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard complaints >= 0 else { throw .notStarted }
        defer { close(complaints) }
        var ends: [CInt] = [0, 0]
        guard pipe(&ends) == 0 else { throw .notStarted }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let process = start(path, arguments, output: ends[1], complaints: complaints)
        close(ends[1])
        defer { close(ends[0]) }
        guard process > 0 else { throw .notStarted }
        let output = try readAll(ends[0], byteCountMax: outputByteCountMax)
        return Result(
            outcome: wait(for: process), output: output, complaint: beginning(of: complaints))
    }

    private static func start(
        _ path: String, _ arguments: [String], output: CInt, complaints: CInt
    ) -> pid_t {
        let words = CStrings([path] + arguments)
        let pairs = CStrings(environment)
        return clinux_start(path, words.pointers, pairs.pointers, output, complaints)
    }

    private static func wait(for process: pid_t) -> Outcome {
        var status: CInt = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7F
        if signal == 0 { return .exited(status >> 8 & 0xFF) }
        return signal == SIGXCPU || signal == SIGKILL ? .timedOut : .signalled(signal)
    }

    private static func readAll(
        _ descriptor: CInt, byteCountMax: Int
    ) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &part, part.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return bytes }
            guard bytes.count + count <= byteCountMax else { throw .outputTooLarge }
            bytes += part[..<count]
        }
    }

    private static func beginning(of file: CInt) -> String {
        var bytes = [UInt8](repeating: 0, count: complaintByteCountMax)
        let count = pread(file, &bytes, bytes.count, 0)
        return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
    }
}

/// Strings as C wants a list of them, for as long as this lives.
private final class CStrings {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ strings: [String]) {
        count = strings.count
        pointers = .allocate(capacity: count + 1)
        for (place, string) in strings.enumerated() { pointers[place] = strdup(string) }
        pointers[count] = nil
    }

    deinit {
        for place in 0..<count { free(pointers[place]) }
        pointers.deallocate()
    }
}
