import Logging
import NIOCore
import NIOHTTP1
import ServiceRuntime

/// One line for each request, without the query and whatever else could hold a secret.
///
/// Lines are gathered for a moment and written together: a write for each would cost more than all
/// that it says. Only touched on its event loop.
final class AccessLog {
    private static let delay = TimeAmount.milliseconds(100)
    private static let byteCountMax = 16 << 10
    private static let pathCountMax = 256

    private let eventLoop: any EventLoop
    /// Nil where such lines are not wanted.
    private let output: LogOutput?
    private var lines = JSONLines()
    private var isFlushDue = false

    init(eventLoop: any EventLoop, output: LogOutput?) {
        self.eventLoop = eventLoop
        self.output = output
    }

    func add(_ record: RequestRecord) {
        guard output != nil else { return }
        let duration = NIODeadline.now() - record.startedAt
        lines.begin(level: .info, service: "gateway", message: "request")
        if let address = record.client.address { lines.add("client.address", "\(address)") }
        lines.add("duration_ms", duration.nanoseconds / 1_000_000)
        lines.add("http.method", String(record.head.method.rawValue.prefix(16)))
        lines.add("http.path", Self.path(record.head.uri))
        lines.add("http.response_bytes", record.responseByteCount)
        lines.add("http.status", record.status)
        lines.add("request.id", record.id)
        lines.add("span.id", record.trace.spanID)
        lines.add("trace.id", record.trace.traceID)
        if let upstream = record.upstream { lines.add("upstream", upstream.rawValue) }
        lines.end()
        if lines.bytes.count >= Self.byteCountMax { flush() } else { flushLater() }
    }

    private static func path(_ uri: String) -> String {
        let path = uri.utf8.prefix { $0 != UInt8(ascii: "?") }.prefix(pathCountMax)
        return String(decoding: path, as: UTF8.self)
    }

    private func flushLater() {
        if isFlushDue { return }
        isFlushDue = true
        let log = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: Self.delay) {
            log.value.isFlushDue = false
            log.value.flush()
        }
    }

    func flush() {
        if lines.bytes.isEmpty { return }
        output?.write(lines.bytes)
        lines.removeAll()
    }
}
