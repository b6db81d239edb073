import NIOCore
import NIOHTTP1

/// The gateway's own answers on a client's connection.
extension ClientConnection {
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

    func send(_ problem: Problem) {
        guard let record else { return }
        send(problem.answer(requestID: record.id))
    }

    func send(_ answer: Answer) {
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

    /// Whatever the client sends from now on is no request. At once: the parser may close the
    /// connection over what comes next.
    func answerLast(_ problem: Problem) {
        isClosing = true
        exchange = nil
        send(problem)
    }

    /// Says why before any request is whole, and closes.
    ///
    /// The handlers before this one know of no request that could have an answer: its bytes go past
    /// all of them.
    func refuseUnasked(_ problem: Problem) {
        guard let context else { return }
        var record = newRecord(Self.unreadHead)
        record.status = problem.status.code
        door.finish(record)
        isClosing = true
        headBegunAt = nil
        let bytes = problem.answer(requestID: record.id).closingMessage(requestID: record.id)
        let connection = NIOLoopBound(self, eventLoop: context.eventLoop)
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.whenComplete { _ in connection.value.close() }
        do {
            let encoder = try context.pipeline.syncOperations.context(
                handlerType: HTTPResponseEncoder.self)
            encoder.writeAndFlush(NIOAny(bytes), promise: sent)
        } catch {
            // Without an encoder there is nobody to understand it either.
            sent.fail(error)
        }
    }
}
