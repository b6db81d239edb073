package import Logging

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
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    let service: String
    let output: LogOutput

    package init(service: String, level: LogLevel, output: LogOutput) {
        self.service = service
        self.logLevel = level.level
        self.output = output
    }

    /// Makes every logger of the process write to `output`. Once, at the start.
    package static func bootstrap(
        service: String, level: LogLevel, output: LogOutput = .standardError
    ) -> Logger {
        LoggingSystem.bootstrap { _ in JSONLog(service: service, level: level, output: output) }
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
        var lines = JSONLines()
        lines.begin(level: event.level, service: service, message: event.message.description)
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) { lines.add(name, value) }
        lines.end()
        output.write(lines.bytes)
    }
}

extension JSONLines {
    /// What every line of a log begins with.
    package mutating func begin(level: Logger.Level, service: String, message: String) {
        begin()
        add("time", LogTime.now())
        add("level", level.rawValue)
        add("service", service)
        add("message", message)
    }
}
