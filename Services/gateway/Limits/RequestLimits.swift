import NIOCore
import NIOHTTP1

/// What a request's head may be, and how long its parts may take.
struct RequestLimits: Sendable {
    /// A token of 12 KiB, cookies, and the rest of what browsers and proxies add.
    var headerByteCountMax = 32 * 1024
    var headerCountMax = 100
    var uriByteCountMax = 8 * 1024
    /// Client connections of one event loop; more are closed at once.
    var connectionCountMax = 10_000

    /// Between requests of one connection, and for a request's head.
    var idle: TimeAmount = .seconds(75)
    /// The longest silence in the middle of a request's body.
    var requestBody: TimeAmount = .seconds(60)
    /// From the request's end to the response's head: longer than any wait the services offer.
    var responseHead: TimeAmount = .seconds(75)
    /// The longest silence in the middle of a response; event streams may be silent for ever.
    var responseBody: TimeAmount = .seconds(75)
    /// A client that takes nothing for this long is gone.
    var stalledClient: TimeAmount = .seconds(120)
    /// How long a client that was answered early may go on sending before the connection closes.
    var linger: TimeAmount = .seconds(10)
    /// What is left of an answered request's body and is worth reading for the next request.
    var skippedBodyByteCountMax = 64 * 1024
    var connect: TimeAmount = .seconds(2)
    /// An unused connection to a service: shorter than the services keep theirs.
    var upstreamIdle: TimeAmount = .seconds(15)
    var upstreamIdleCountMax = 128

    /// Nil if the head is acceptable.
    func problem(of head: HTTPRequestHead) -> Problem? {
        if head.uri.utf8.count > uriByteCountMax { return .uriTooLong }
        var byteCount = 0
        for (name, value) in head.headers { byteCount += name.utf8.count + value.utf8.count + 4 }
        if byteCount > headerByteCountMax || head.headers.count > headerCountMax {
            return .headersTooLarge
        }
        let hosts = head.headers["Host"]
        guard hosts.count == 1 || (hosts.isEmpty && head.version != .http1_1) else {
            return .badRequest
        }
        let codings = head.headers[canonicalForm: "Transfer-Encoding"]
        guard codings.isEmpty || (codings.count == 1 && codings[0].lowercased() == "chunked")
        else { return .badRequest }
        return nil
    }
}
