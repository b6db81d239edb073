import Logging
import NIOCore
import NIOHTTP1
import ServiceRuntime

/// What is known of one request from its head, and what the access log says at its end.
struct RequestRecord {
    /// nginx's number for a client that did not wait; no client ever sees it.
    static let clientGone: UInt = 499
    private static let loggedPathCountMax = 256

    let head: HTTPRequestHead
    let client: Client
    let id: String
    let trace: TraceContext
    let isKeptAlive: Bool
    let corsOrigin: String?
    let startedAt = NIODeadline.now()
    var status: UInt = 0
    var responseByteCount = 0
    var upstream: Upstream?
    /// Whose place among the open streams it takes; nil for what is no stream.
    var streamingUser: String?

    init(head: HTTPRequestHead, client: Client, crossSite: CrossSite) {
        self.head = head
        self.client = client
        trace = TraceContext(continuing: Self.only(head.headers["traceparent"]))
        id = RequestID(accepting: head.headers.first(name: RequestID.headerName)).description
        // After an upgrade offer the parser reads no further request from the connection.
        isKeptAlive =
            head.version == .http1_1 && head.isKeepAlive && !head.headers.contains(name: "Upgrade")
        corsOrigin = crossSite.corsOrigin(of: head.headers)
    }

    /// Two of them are none (W3C Trace Context, 3.2).
    private static func only(_ values: [String]) -> String? {
        values.count == 1 ? values[0] : nil
    }

    /// One line, without the query and whatever else could hold a secret.
    func log(to logger: Logger) {
        let duration = NIODeadline.now() - startedAt
        var metadata: Logger.Metadata = [
            "request.id": "\(id)",
            "http.method": "\(head.method.rawValue.prefix(16))",
            "http.path": "\(head.uri.prefix { $0 != "?" }.prefix(Self.loggedPathCountMax))",
            "http.status": "\(status)",
            "http.response_bytes": "\(responseByteCount)",
            "duration_ms": "\(duration.nanoseconds / 1_000_000)",
            "trace.id": "\(trace.traceID)", "span.id": "\(trace.spanID)",
        ]
        if let address = client.address { metadata["client.address"] = "\(address)" }
        if let upstream { metadata["upstream"] = "\(upstream.rawValue)" }
        logger.info("request", metadata: metadata)
    }
}
