import NIOCore
import NIOHTTP1

/// One client's connection: takes its requests in order and sends their answers.
///
/// What a client sends behind a whole request waits for that request's answer. A request's body is
/// read only as fast as the service behind takes it.
final class ClientConnection: ChannelDuplexHandler, FlushedLater, DoorVisitor {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// What its bytes come in.
    enum Carrier {
        case plain
        case secure(TLSConnection)
        /// One stream of HTTP/2: one request.
        case stream
    }

    let door: Door
    let carrier: Carrier
    /// Others have counted the socket.
    var isCounted: Bool {
        if case .plain = carrier { true } else { false }
    }

    var isStream: Bool {
        if case .stream = carrier { true } else { false }
    }

    var context: ChannelHandlerContext?
    /// The request that has no whole answer yet.
    var record: RequestRecord?
    /// Where it is being answered; nil while it is being judged, or answered here.
    var exchange: ForwardedExchange?
    /// What of a body came before the exchange began. Short: reading stops with the head.
    var earlyBody: [ByteBuffer] = []
    private(set) var isRequestEnded = true
    var isHeadSent = false
    var isClosing = false
    var isFlushDue = false
    var isReadHeld = false
    /// What came behind a request that has no whole answer yet: what was in the reads that ended it.
    var waiting = CircularBuffer<ClientEvent>(initialCapacity: 0)
    /// Whose socket it is: a client's or a proxy's.
    private(set) var peer: IPAddress?
    /// What may go through of the present request's body, and what has come.
    private var bodyLimit: BodyLimit?
    private var bodyByteCount = 0
    /// When the first byte came of a head that is not whole.
    var headBegunAt: NIODeadline?
    /// Whether what was just read ended something, rather than began a head.
    private var hasReadPart = false
    var lastProgress = NIODeadline.now()
    var lingerUntil: NIODeadline?

    init(door: Door, _ carrier: Carrier) {
        self.door = door
        self.carrier = carrier
    }

    var isWritable: Bool { context?.channel.isWritable ?? false }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        // Under TLS what a connection carries is agreed on when it is long open.
        if context.channel.isActive { begin(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        door.forget(self)
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        if !isClosing { context.fireChannelActive() }
    }

    private func begin(_ context: ChannelHandlerContext) {
        peer = IPAddress(context.channel.remoteAddress)
        if let problem = door.admit(self) { refuseUnasked(problem) }
    }

    /// Stands for a request that was not understood, or not looked at.
    static let unreadHead = HTTPRequestHead(version: .http1_1, method: .GET, uri: "-")

    func newRecord(_ head: HTTPRequestHead) -> RequestRecord {
        RequestRecord(
            head: head,
            client: door.rules.trustedProxies.client(
                of: head.headers, from: peer, scheme: isCounted ? "http" : "https"),
            crossSite: door.rules.crossSite, random: &door.random)
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
        let part = unwrapInboundIn(data)
        if isAnswerOutstanding { waiting.append(.part(part)) } else { take(part) }
    }

    /// The whole request is here and its answer is not.
    private var isAnswerOutstanding: Bool { record != nil && isRequestEnded }

    private func take(_ part: HTTPServerRequestPart) {
        switch part {
        case .head(var head):
            guard !isClosing else { return }
            // The codec has made of a stream's frames what HTTP/1.1 would have been.
            if isStream { head.version = .http1_1 }
            isRequestEnded = false
            isHeadSent = false
            headBegunAt = nil
            bodyByteCount = 0
            record = newRecord(head)
            judge(head)
        case .body(let bytes):
            bodyByteCount += bytes.readableBytes
            if let record, bytes.readableBytes > 0, HeaderRules.Framing(record.head) == .none {
                refuseUnframed()
            } else if let bodyLimit, bodyByteCount > bodyLimit.byteCountMax {
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

    /// The next request's turn.
    func takeWaiting() {
        while !isAnswerOutstanding, let event = waiting.popFirst() {
            switch event {
            case .part(let part): take(part)
            case .unreadable(let problem): refuseUnreadable(problem)
            }
        }
        exchange?.clientPaused()
        resumeReading()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        exchange?.clientPaused()
        if record == nil, !hasReadPart, hasReadBytes, headBegunAt == nil { headBegunAt = .now() }
        hasReadPart = false
    }

    /// A read may also have been TLS's own.
    private var hasReadBytes: Bool {
        if case .secure(let connection) = carrier { connection.takeHasReadBytes() } else { true }
    }

    /// HTTP/2 can say that a body comes after a head that tells of none. Behind us it would be the next
    /// request.
    private func refuseUnframed() {
        exchange?.clientGone()
        if isHeadSent { breakOff() } else { answerLast(.badRequest) }
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
        if record == nil { return true }
        return isRequestEnded ? waiting.isEmpty : exchange?.takesMore ?? false
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
        switch error {
        case let problem as HTTPParserError where isAnswerOutstanding:
            waiting.append(.unreadable(problem))
        // The parser's word on all that follows what it could not read.
        case is ByteToMessageDecoderError where isAnswerOutstanding && !waiting.isEmpty: break
        case let problem as HTTPParserError: refuseUnreadable(problem)
        default: context.close(promise: nil)
        }
    }

    /// At once: the parser takes nothing more from this connection.
    private func refuseUnreadable(_ error: HTTPParserError) {
        let isUnanswered = record == nil ? !isClosing : !isHeadSent
        if isUnanswered {
            isRequestEnded = true
            exchange?.clientGone()
            exchange = nil
            if record == nil { record = newRecord(Self.unreadHead) }
            isHeadSent = false
            isClosing = true
            send(error == .headerOverflow ? Problem.headersTooLarge : .badRequest)
        }
        context?.close(promise: nil)
    }

    /// Takes a place among the open streams of a user, until the request's end.
    func beginStream(ofUser user: String) -> Problem? {
        if let problem = door.rules.clientLimits.beginStream(ofUser: user) { return problem }
        record?.streamingUser = user
        return nil
    }

    var isStreaming: Bool { exchange?.isEventStream ?? false }

    func endRecord() {
        guard let record else { return }
        self.record = nil
        bodyLimit = nil
        if let user = record.streamingUser { door.rules.clientLimits.endStream(ofUser: user) }
        door.finish(record)
    }

    func begin(_ exchange: ForwardedExchange, body: BodyLimit) {
        self.exchange = exchange
        bodyLimit = body
        record?.upstream = exchange.upstream
        for bytes in earlyBody { exchange.clientSent(bytes) }
        earlyBody = []
        exchange.start()
    }

    func close() { context?.close(promise: nil) }

    func drain() {
        if record == nil, isRequestEnded { closeWhenSent() }
    }

    /// Once the client's system has all of the last answer; else the next look does it.
    func closeWhenSent() {
        guard let context else { return }
        context.flush()
        do {
            let waiting = try context.channel.syncOptions?.getOption(.bufferedWritableBytes) ?? 0
            if waiting > 0 { return }
        } catch {
            // A channel that cannot tell has nothing of its own waiting.
        }
        close()
    }
}

/// What comes from a client, in its order.
enum ClientEvent {
    case part(HTTPServerRequestPart)
    /// What the parser gave up over.
    case unreadable(HTTPParserError)
}
