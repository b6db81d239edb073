import NIOCore
import NIOHTTP1

/// An answer on its way to the client, part by part.
extension ClientConnection {
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

    func flush() { door.flushes.add(self) }

    func flushNow() { context?.flush() }

    func sendEnd() {
        guard record != nil, let context else { return }
        exchange = nil
        lastProgress = .now()
        endRecord()
        guard isClosing || door.isDraining else {
            write(.end(nil))
            flush()
            return takeWaiting()
        }
        waiting.removeAll()
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
        if isStream { return ClientPipeline.endStream(context) }
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
        // What came before is the client's.
        context.flush()
        context.close(promise: nil)
    }
}
