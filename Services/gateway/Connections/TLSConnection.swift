import NIOCore
import NIOTLS

/// A connection under TLS: counted from its first byte, and given no more time for the handshake than
/// for a request's head. What it carries is looked after by others.
final class TLSConnection: ChannelInboundHandler, DoorVisitor {
    typealias InboundIn = ByteBuffer

    /// What a client has to say goodbye after HTTP/2 has, before it is cut off.
    private static let farewell = TimeAmount.seconds(5)

    private let door: Door
    private var context: ChannelHandlerContext?
    private let openedAt = NIODeadline.now()
    private var isEstablished = false
    private var hasReadBytes = false
    /// Of HTTP/2; nil while it carries something else.
    private var streamCount: Int?
    private var lastStreamEndedAt = NIODeadline.now()
    let isCounted = true
    let isStreaming = false
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

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        hasReadBytes = true
        context.fireChannelRead(data)
    }

    /// Whether anything but TLS's own came since this was last asked.
    func takeHasReadBytes() -> Bool {
        defer { hasReadBytes = false }
        return hasReadBytes
    }

    /// HTTP/2 it is, without a stream yet.
    func carriesStreams() { streamCount = 0 }

    func streamBegan() { streamCount = (streamCount ?? 0) + 1 }

    func streamEnded() {
        streamCount = (streamCount ?? 1) - 1
        lastStreamEndedAt = .now()
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
        if !isEstablished {
            if now - openedAt > door.limits.requestHead { close() }
        } else if streamCount == 0, now - lastStreamEndedAt > door.limits.idle + Self.farewell {
            // The library asks whether anybody is there, and would wait for the answer for ever.
            close()
        }
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
