import FoundationEssentials
import Glibc
package import Logging
import Synchronization

/// How much is logged.
package enum LogLevel: String, Sendable, CaseIterable {
    case trace, debug, info, warning, error

    var level: Logger.Level {
        switch self {
        case .trace: .trace
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        }
    }
}

/// Logs as one JSON object a line: `time`, `level`, `service`, `message`, and the fields.
package struct JSONLog: LogHandler {
    /// A field longer than this is cut: a log line is a fact, not a document.
    static let fieldCharacterCountMax = 2000

    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    let service: String
    let write: @Sendable ([UInt8]) -> Void

    package init(
        service: String, level: LogLevel, write: @escaping @Sendable ([UInt8]) -> Void
    ) {
        self.service = service
        self.logLevel = level.level
        self.write = write
    }

    /// Makes every logger of the process write to standard error. Once, at the start.
    package static func bootstrap(service: String, level: LogLevel) -> Logger {
        let stderr = StandardError()
        LoggingSystem.bootstrap { _ in
            JSONLog(service: service, level: level) { stderr.write($0) }
        }
        return Logger(label: service)
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var fields = metadata
        if let own = event.metadata { fields.merge(own) { $1 } }
        if let error = event.error { fields["error"] = "\(type(of: error)): \(error)" }
        var line = JSONLine()
        line.add("time", Date().formatted(.iso8601.time(includingFractionalSeconds: true)))
        line.add("level", event.level.rawValue)
        line.add("service", service)
        line.add("message", event.message.description)
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) { line.add(name, value) }
        write(line.finish())
    }
}

/// File descriptor 2, a whole line at a time.
private final class StandardError: Sendable {
    private let lock = Mutex(())

    func write(_ line: [UInt8]) {
        lock.withLock { _ in
            line.withUnsafeBytes { bytes in
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
