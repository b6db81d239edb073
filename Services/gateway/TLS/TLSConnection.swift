import NIOCore
import NIOTLS

/// A connection under TLS: counted from its first byte, and given no more time for the handshake than
/// for a request's head. What it carries is looked after by others.
final class TLSConnection: ChannelInboundHandler, DoorVisitor {
    typealias InboundIn = NIOAny

    private let door: Door
    private var context: ChannelHandlerContext?
    private let openedAt = NIODeadline.now()
    private var isEstablished = false
    let isCounted = true
    private(set) var peer: IPAddress?

    init(door: Door) { self.door = door }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        door.forget(self)
    }

    func channelActive(context: ChannelHandlerContext) {
        peer = IPAddress(context.remoteAddress)
        // Before the handshake there is no way to say why.
        if door.admit(self) != nil { return context.close(promise: nil) }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        door.forget(self)
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent { isEstablished = true }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func tick(_ now: NIODeadline) {
        if !isEstablished, now - openedAt > door.limits.requestHead { close() }
    }

    /// HTTP/2 says goodbye and ends with its last stream; HTTP/1.1 ends by itself.
    func drain() {
        if isEstablished {
            context?.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        } else {
            close()
        }
    }

    func close() { context?.close(promise: nil) }
}
