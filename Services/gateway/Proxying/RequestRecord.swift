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
    let id: String
    let isKeptAlive: Bool
    let corsOrigin: String?
    let startedAt = NIODeadline.now()
    var status: UInt = 0
    var responseByteCount = 0
    var upstream: Upstream?

    init(head: HTTPRequestHead, crossSite: CrossSite) {
        self.head = head
        id = RequestID(accepting: head.headers.first(name: RequestID.headerName)).description
        // After an upgrade offer the parser reads no further request from the connection.
        isKeptAlive =
            head.version == .http1_1 && head.isKeepAlive && !head.headers.contains(name: "Upgrade")
        corsOrigin = crossSite.corsOrigin(of: head.headers)
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
        ]
        if let upstream { metadata["upstream"] = "\(upstream.rawValue)" }
        logger.info("request", metadata: metadata)
    }
}
