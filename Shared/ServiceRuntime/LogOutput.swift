import Glibc
import Synchronization

/// Where whole log lines go.
package struct LogOutput: Sendable {
    private let writer: @Sendable ([UInt8]) -> Void

    package init(_ write: @escaping @Sendable ([UInt8]) -> Void) { writer = write }

    /// One or more lines, their ends included, with no other's between them.
    package func write(_ lines: [UInt8]) { writer(lines) }

    /// File descriptor 2.
    package static let standardError: LogOutput = {
        let output = StandardError()
        return LogOutput { output.write($0) }
    }()
}

private final class StandardError: Sendable {
    private let lock = Mutex(())

    func write(_ lines: [UInt8]) {
        lock.withLock { _ in
            lines.withUnsafeBytes { bytes in
                var rest = bytes[...]
                while !rest.isEmpty {
                    let count = Glibc.write(
                        2, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                    if count < 0, errno == EINTR { continue }
                    // There is nowhere to report that the log cannot be written.
                    guard count > 0 else { return }
                    rest = rest.dropFirst(count)
                }
            }
        }
    }
}
