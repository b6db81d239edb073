import NIOCore
import NIOHTTP1

/// One connection to a replica: carries one exchange at a time, or waits in the pool.
///
/// It reads only while the exchange's client takes what was read before.
final class UpstreamConnection: ChannelDuplexHandler, FlushedLater {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = HTTPClientRequestPart

    let replica: ReplicaConnections
    /// It carried a whole exchange before: the other side may have closed it meanwhile.
    private(set) var isReused = false
    private(set) var idleSince = NIODeadline.now()
    var isFlushDue = false
    private let limits: RequestLimits
    private let flushes: FlushQueue
    private var exchange: ForwardedExchange?
    private var context: ChannelHandlerContext?
    private var isReadHeld = false
    private var isResponseEnded = false
    private var isKeptAlive = false

    init(replica: ReplicaConnections, limits: RequestLimits, flushes: FlushQueue) {
        self.replica = replica
        self.limits = limits
        self.flushes = flushes
    }

    var isOpen: Bool { context?.channel.isActive ?? false }
    var isWritable: Bool { context?.channel.isWritable ?? false }

    func begin(_ exchange: ForwardedExchange) {
        self.exchange = exchange
        isResponseEnded = false
        isKeptAlive = false
        replica.state.begin()
    }

    func write(_ part: HTTPClientRequestPart) {
        context?.write(wrapOutboundOut(part), promise: nil)
    }

    func flush() { flushes.add(self) }

    func flushNow() { context?.flush() }

    func close() {
        leave()
        replica.forget(self)
        context?.close(promise: nil)
    }

    /// The exchange is over: into the pool if nothing of it is left on the wire, else away.
    func release(isRequestEnded: Bool) {
        leave()
        guard isRequestEnded, isResponseEnded, isKeptAlive, isOpen else { return close() }
        isReused = true
        idleSince = .now()
        replica.keep(self, limits: limits)
        resumeReading()
    }

    private func leave() {
        guard exchange != nil else { return }
        exchange = nil
        replica.state.end()
    }

    func resumeReading() {
        guard isReadHeld else { return }
        isReadHeld = false
        context?.read()
    }

    func read(context: ChannelHandlerContext) {
        if let exchange, !exchange.isClientWritable {
            isReadHeld = true
        } else {
            context.read()
        }
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let exchange else { return close() }
        switch unwrapInboundIn(data) {
        case .head(let head):
            isKeptAlive = head.isKeepAlive
            exchange.upstreamSent(head)
        case .body(let bytes): exchange.upstreamSent(bytes)
        case .end:
            isResponseEnded = true
            exchange.upstreamEnded()
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { exchange?.upstreamPaused() }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { exchange?.upstreamTakesMore() }
    }

    func channelInactive(context: ChannelHandlerContext) { fail() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // What failed does not matter to the exchange: the connection is of no more use to it.
        fail()
        context.close(promise: nil)
    }

    private func fail() {
        replica.forget(self)
        let failed = exchange
        leave()
        failed?.upstreamFailed()
    }
}
