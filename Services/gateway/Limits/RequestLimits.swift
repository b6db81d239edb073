import NIOCore
import NIOHTTP1
import ServiceRuntime

/// What one request may be, and how long its parts may take.
struct RequestLimits: Sendable {
    /// A token of 12 KiB, cookies, and the rest of what browsers and proxies add.
    var headerByteCountMax = 32 * 1024
    var headerCountMax = 100
    var uriByteCountMax = 8 * 1024
    var bodyByteCountMax = 1 << 20
    /// Of a form with a file, without what frames it.
    var fileByteCountMax = 25 << 20

    /// From a head's first byte to its last.
    var requestHead: TimeAmount = .seconds(15)
    /// Between requests of one connection.
    var idle: TimeAmount = .seconds(75)
    /// The longest silence in the middle of a request's body.
    var requestBody: TimeAmount = .seconds(60)
    /// From a request's head to its answer's end; event streams go on.
    var request: TimeAmount = .minutes(15)
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

    init() {}

    init(from reader: inout SettingsReader) {
        headerByteCountMax = reader.count("MAX_HEADER_KB", default: 32, in: 4...64) << 10
        headerCountMax = reader.count("MAX_HEADERS", default: 100, in: 16...1000)
        uriByteCountMax = reader.count("MAX_URL_KB", default: 8, in: 1...32) << 10
        bodyByteCountMax = reader.count("MAX_BODY_KB", default: 1024, in: 64...65_536) << 10
        fileByteCountMax = reader.count("MAX_UPLOAD_MB", default: 25, in: 1...10_240) << 20
        requestHead = .seconds(Int64(reader.count("HEADER_SECONDS", default: 15, in: 1...600)))
        idle = .seconds(Int64(reader.count("IDLE_SECONDS", default: 75, in: 1...3600)))
        request = .seconds(Int64(reader.count("REQUEST_SECONDS", default: 900, in: 10...86_400)))
    }

    /// Where the parser gives up on a head that does not end.
    var decoder: NIOHTTPDecoderLimitConfiguration {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = max(headerByteCountMax, uriByteCountMax)
        limits.maxHeaderListSize = headerByteCountMax + uriByteCountMax
        limits.maxHeaderFieldCount = headerCountMax
        return limits
    }

    /// As HTTP/2 counts, 32 bytes more for each field. Twice what is acceptable: who has somewhat too much
    /// is told so, before the library ends the connection.
    var headerListByteCountMax: Int {
        2 * (headerByteCountMax + uriByteCountMax + 32 * (headerCountMax + 4))
    }

    /// Nil if the head is acceptable.
    func problem(of head: HTTPRequestHead) -> Problem? {
        if head.uri.utf8.count > uriByteCountMax { return .uriTooLong }
        var byteCount = 0
        for (name, value) in head.headers { byteCount += name.utf8.count + value.utf8.count + 4 }
        if byteCount > headerByteCountMax || head.headers.count > headerCountMax {
            return .headersTooLarge
        }
        return RequestSyntax.isSound(head) ? nil : .badRequest
    }

    /// What the request may carry, and the problem of one that carries more.
    func body(ofFile isFile: Bool) -> BodyLimit {
        isFile
            ? BodyLimit(
                byteCountMax: fileByteCountMax + BodyLimit.framing,
                problem: .fileTooLarge(megabytes: fileByteCountMax >> 20))
            : BodyLimit(
                byteCountMax: bodyByteCountMax,
                problem: .bodyTooLarge(kilobytes: bodyByteCountMax >> 10))
    }
}

/// How much of a request's body goes through.
struct BodyLimit: Sendable {
    /// What a form has around its file; the service behind counts the file itself.
    static let framing = 64 << 10

    let byteCountMax: Int
    let problem: Problem

    /// Whether the head already says that it is too much.
    func isExceeded(by head: HTTPRequestHead) -> Bool {
        guard case .length(let text) = HeaderRules.Framing(head) else { return false }
        // What is no number of ours is more than any.
        return Int(text).map { $0 > byteCountMax } ?? true
    }
}
