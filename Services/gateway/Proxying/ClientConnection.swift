import NIOCore
import NIOHTTP1

/// One client's connection: takes its requests in order and sends their answers.
///
/// The pipeline handler before it holds pipelined requests back until the answer's end. It reads a
/// request's body only as fast as the service behind takes it.
final class ClientConnection: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    let door: Door
    var context: ChannelHandlerContext?
    /// The request that has no whole answer yet.
    private(set) var record: RequestRecord?
    /// Where it is being answered; nil while it is being judged, or answered here.
    var exchange: ForwardedExchange?
    /// What of a body came before the exchange began. Short: reading stops with the head.
    var earlyBody: [ByteBuffer] = []
    private(set) var isRequestEnded = true
    private(set) var isHeadSent = false
    var isClosing = false
    private(set) var isReadHeld = false
    /// Whose socket it is: a client's or a proxy's.
    private(set) var peer: IPAddress?
    /// What may go through of the present request's body, and what has come.
    private var bodyLimit: BodyLimit?
    private var bodyByteCount = 0
    /// When the first byte came of a head that is not whole.
    var headBegunAt: NIODeadline?
    /// Whether what was just read ended something, rather than began a head.
    private var hasReadPart = false
    private(set) var lastProgress = NIODeadline.now()
    private(set) var lingerUntil: NIODeadline?

    init(door: Door) { self.door = door }

    var isWritable: Bool { context?.channel.isWritable ?? false }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        door.forget(self)
    }

    func channelActive(context: ChannelHandlerContext) {
        peer = IPAddress(context.remoteAddress)
        guard let problem = door.admit(self) else { return context.fireChannelActive() }
        refuseUnasked(problem)
    }

    /// Stands for a request that was not understood, or not looked at.
    static let unreadHead = HTTPRequestHead(version: .http1_1, method: .GET, uri: "-")

    func newRecord(_ head: HTTPRequestHead) -> RequestRecord {
        RequestRecord(
            head: head,
            client: door.rules.trustedProxies.client(of: head.headers, from: peer),
            crossSite: door.rules.crossSite)
    }

    func channelInactive(context: ChannelHandlerContext) {
        let abandoned = exchange
        exchange = nil
        if record != nil {
            if !isHeadSent { record?.status = RequestRecord.clientGone }
            endRecord()
        }
        abandoned?.clientGone()
        door.forget(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastProgress = .now()
        hasReadPart = true
        switch unwrapInboundIn(data) {
        case .head(let head):
            guard !isClosing else { return }
            isRequestEnded = false
            isHeadSent = false
            headBegunAt = nil
            bodyByteCount = 0
            record = newRecord(head)
            judge(head)
        case .body(let bytes):
            bodyByteCount += bytes.readableBytes
            if let bodyLimit, bodyByteCount > bodyLimit.byteCountMax {
                tooMuchCame(bodyLimit)
            } else if let exchange {
                exchange.clientSent(bytes)
            } else if record != nil {
                earlyBody.append(bytes)
            }
        case .end:
            isRequestEnded = true
            exchange?.clientEnded()
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        exchange?.clientPaused()
        if record == nil, !hasReadPart, headBegunAt == nil { headBegunAt = .now() }
        hasReadPart = false
    }

    /// Of a body without a declared length. An answer that is on its way cannot be taken back.
    private func tooMuchCame(_ limit: BodyLimit) {
        guard let exchange else { return }
        exchange.clientGone()
        if isHeadSent { breakOff() } else { answer(limit.problem) }
    }

    func read(context: ChannelHandlerContext) {
        if mayRead {
            context.read()
        } else {
            isReadHeld = true
        }
    }

    private var mayRead: Bool {
        if record == nil || isRequestEnded { return true }
        return exchange?.takesMore ?? false
    }

    func resumeReading() {
        guard isReadHeld, mayRead else { return }
        isReadHeld = false
        context?.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        lastProgress = .now()
        if context.channel.isWritable { exchange?.clientTakesMore() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The parser closes the connection when this returns: only what is sent now is sent.
        let isUnanswered = record == nil ? !isClosing : !isHeadSent
        if error is HTTPParserError, isUnanswered {
            isRequestEnded = true
            exchange?.clientGone()
            exchange = nil
            if record == nil { record = newRecord(Self.unreadHead) }
            isHeadSent = false
            isClosing = true
            send(Problem.badRequest)
        }
        context.close(promise: nil)
    }

    /// Takes a place among the open streams of a user, until the request's end.
    func beginStream(ofUser user: String) -> Problem? {
        if let problem = door.rules.clientLimits.beginStream(ofUser: user) { return problem }
        record?.streamingUser = user
        return nil
    }

    private func endRecord() {
        guard let record else { return }
        self.record = nil
        bodyLimit = nil
        if let user = record.streamingUser { door.rules.clientLimits.endStream(ofUser: user) }
        record.log(to: door.rules.logger)
    }

    func begin(_ exchange: ForwardedExchange, body: BodyLimit) {
        self.exchange = exchange
        bodyLimit = body
        record?.upstream = exchange.upstream
        for bytes in earlyBody { exchange.clientSent(bytes) }
        earlyBody = []
        exchange.start()
    }

    func sendContinue() {
        write(.head(HTTPResponseHead(version: .http1_1, status: .continue)))
        context?.flush()
    }

    func sendHead(_ status: HTTPResponseStatus, _ headers: HTTPHeaders) {
        guard let record else { return }
        var headers = headers
        if let origin = record.corsOrigin { HeaderRules.addCORS(to: &headers, origin: origin) }
        isClosing =
            isClosing || !record.isKeptAlive || door.isDraining
            || !(isRequestEnded || isRestSkippable(record.head))
        if isClosing { headers.replaceOrAdd(name: "Connection", value: "close") }
        self.record?.status = status.code
        isHeadSent = true
        lastProgress = .now()
        let version: HTTPVersion = record.head.version == .http1_1 ? .http1_1 : .http1_0
        write(.head(HTTPResponseHead(version: version, status: status, headers: headers)))
    }

    func sendBody(_ bytes: ByteBuffer) {
        record?.responseByteCount += bytes.readableBytes
        lastProgress = .now()
        write(.body(.byteBuffer(bytes)))
    }

    func flush() { context?.flush() }

    /// The next request may begin inside the last write: nothing may follow it.
    func sendEnd() {
        guard record != nil, let context else { return }
        exchange = nil
        lastProgress = .now()
        endRecord()
        guard isClosing else {
            if isReadHeld {
                isReadHeld = false
                context.read()
            }
            return context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
        let connection = NIOLoopBound(self, eventLoop: context.eventLoop)
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.whenComplete { _ in connection.value.closeAfterAnswer() }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: sent)
    }

    /// A client that is still sending gets time to read the answer: closing at once would make
    /// its system throw it away.
    private func closeAfterAnswer() {
        guard let context else { return }
        if isRequestEnded { return context.close(promise: nil) }
        lingerUntil = .now() + door.limits.linger
        context.close(mode: .output, promise: nil)
        isReadHeld = false
        context.read()
    }

    private func write(_ part: HTTPServerResponsePart) {
        context?.write(wrapOutboundOut(part), promise: nil)
    }

    private func isRestSkippable(_ head: HTTPRequestHead) -> Bool {
        guard case .length(let text) = HeaderRules.Framing(head), let count = Int(text) else {
            return false
        }
        return count <= door.limits.skippedBodyByteCountMax
    }

    /// A cut answer must not look like a whole one.
    func breakOff() {
        guard let context else { return }
        exchange = nil
        if record.map({ $0.head.version != .http1_1 }) == true {
            // Without a length or chunks only a reset tells the end of a cut body from a clean one.
            ConnectionReset.prepare(context.channel)
        }
        context.close(promise: nil)
    }

    func close() { context?.close(promise: nil) }

    func drain() {
        if record == nil, isRequestEnded { close() }
    }
}
