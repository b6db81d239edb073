import NIOCore
import NIOHTTP1
import ServiceRuntime

/// What is known of one request from its head, and what the access log says of it at its end.
struct RequestRecord {
    /// nginx's number for a client that did not wait; no client ever sees it.
    static let clientGone: UInt = 499

    let head: HTTPRequestHead
    let client: Client
    let id: String
    let trace: TraceContext
    let isKeptAlive: Bool
    let corsOrigin: String?
    let startedAt = NIODeadline.now()
    var status: UInt = 0
    var responseByteCount = 0
    /// As the route table writes it.
    var route: String?
    var upstream: Upstream?
    /// Whose place among the open streams it takes; nil for what is no stream.
    var streamingUser: String?

    init(
        head: HTTPRequestHead, client: Client, crossSite: CrossSite,
        random: inout some RandomNumberGenerator
    ) {
        self.head = head
        self.client = client
        trace = TraceContext(continuing: Self.only(head.headers["traceparent"]), using: &random)
        id =
            RequestID(
                accepting: head.headers.first(name: RequestID.headerName), using: &random
            ).description
        // After an upgrade offer the parser reads no further request from the connection.
        isKeptAlive =
            head.version == .http1_1 && head.isKeepAlive && !head.headers.contains(name: "Upgrade")
        corsOrigin = crossSite.corsOrigin(of: head.headers)
    }

    /// Two of them are none (W3C Trace Context, 3.2).
    private static func only(_ values: [String]) -> String? {
        values.count == 1 ? values[0] : nil
    }
}
