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
    private var context: ChannelHandlerContext?
    /// The request that has no whole answer yet.
    private(set) var record: RequestRecord?
    /// Where it is being answered; nil while it is being judged, or answered here.
    private var exchange: ForwardedExchange?
    /// What of a body came before the exchange began. Short: reading stops with the head.
    private var earlyBody: [ByteBuffer] = []
    private(set) var isRequestEnded = true
    private(set) var isHeadSent = false
    private var isClosing = false
    private var isReadHeld = false
    private var lastProgress = NIODeadline.now()
    private var lingerUntil: NIODeadline?

    init(door: Door) { self.door = door }

    var isWritable: Bool { context?.channel.isWritable ?? false }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        door.forget(self)
    }

    func channelActive(context: ChannelHandlerContext) {
        if door.admit(self) {
            context.fireChannelActive()
        } else {
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let abandoned = exchange
        exchange = nil
        if var record {
            self.record = nil
            if !isHeadSent { record.status = RequestRecord.clientGone }
            record.log(to: door.rules.logger)
        }
        abandoned?.clientGone()
        door.forget(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastProgress = .now()
        switch unwrapInboundIn(data) {
        case .head(let head):
            guard !isClosing else { return }
            isRequestEnded = false
            isHeadSent = false
            record = RequestRecord(head: head, crossSite: door.rules.crossSite)
            judge(head)
        case .body(let bytes):
            if let exchange {
                exchange.clientSent(bytes)
            } else if record != nil {
                earlyBody.append(bytes)
            }
        case .end:
            isRequestEnded = true
            exchange?.clientEnded()
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { exchange?.clientPaused() }

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
        if error is HTTPParserError, !isHeadSent || record == nil, !isClosing {
            isRequestEnded = true
            exchange?.clientGone()
            exchange = nil
            let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "-")
            if record == nil { record = RequestRecord(head: head, crossSite: door.rules.crossSite) }
            isHeadSent = false
            isClosing = true
            send(Problem.badRequest)
        }
        context.close(promise: nil)
    }

    func begin(_ exchange: ForwardedExchange) {
        self.exchange = exchange
        record?.upstream = exchange.upstream
        for bytes in earlyBody { exchange.clientSent(bytes) }
        earlyBody = []
        exchange.start()
    }

    func answer(_ problem: Problem) {
        guard let record else { return }
        answer(problem.answer(requestID: record.id))
    }

    /// On the loop's next turn: answering from inside a read would recurse through every request
    /// a client pipelined.
    func answer(_ answer: Answer) {
        exchange = nil
        let connection = NIOLoopBound(self, eventLoop: door.eventLoop)
        door.eventLoop.execute {
            if connection.value.record != nil { connection.value.send(answer) }
        }
    }

    private func send(_ problem: Problem) {
        guard let record else { return }
        send(problem.answer(requestID: record.id))
    }

    private func send(_ answer: Answer) {
        guard let record else { return }
        earlyBody = []
        var headers = answer.headers
        if answer.status != .noContent {
            headers.add(name: "Content-Length", value: String(answer.body.readableBytes))
        }
        HeaderRules.addOurs(to: &headers, requestID: record.id)
        sendHead(answer.status, headers)
        if record.head.method != .HEAD, answer.body.readableBytes > 0 { sendBody(answer.body) }
        sendEnd()
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
        guard let record, let context else { return }
        self.record = nil
        exchange = nil
        lastProgress = .now()
        record.log(to: door.rules.logger)
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

    func tick(_ now: NIODeadline) {
        let silence = now - lastProgress
        let limits = door.limits
        if let lingerUntil {
            if now > lingerUntil { close() }
        } else if record == nil {
            if silence > limits.idle || (door.isDraining && isRequestEnded) { close() }
        } else if let exchange {
            if !isWritable {
                if silence > limits.stalledClient { close() }
            } else if !isRequestEnded, !isHeadSent, !isReadHeld {
                guard silence > limits.requestBody else { return }
                exchange.clientGone()
                answer(Problem.requestTimeout)
            } else {
                exchange.tick(silence)
            }
        }
    }
}
