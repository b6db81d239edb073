import NIOCore
import NIOPosix
import Synchronization
import TestSupport

/// A TCP relay before the test server: counts, cuts and holds what goes through it.
final class Relay: Sendable {
    /// What happens to the bytes on their way to the server.
    enum Rule: Sendable {
        case pass
        /// Cuts each connection after so many bytes in this direction, for so many connections.
        case cut(Direction, afterByteCount: Int, connectionCountMax: Int)
        /// Takes so many bytes to the server and then no more, for ever.
        case hold(afterByteCount: Int)
    }

    enum Direction: Sendable { case toServer, toClient }

    private struct State {
        var counts: [Direction: Int] = [:]
        var cutCount = 0
    }

    private let rule: Rule
    private let state = Mutex(State())
    let hasHeld = Signal()
    private let port = Mutex(0)

    private init(_ rule: Rule) { self.rule = rule }

    var url: String { "http://127.0.0.1:\(port.withLock { $0 })" }
    var cutCount: Int { state.withLock { $0.cutCount } }

    func byteCount(_ direction: Direction) -> Int { state.withLock { $0.counts[direction] ?? 0 } }

    static func with(_ rule: Rule, _ body: (Relay) async throws -> Void) async throws {
        let relay = Relay(rule)
        let target = try environment("TEST_S3_URL").split(separator: ":").last.flatMap { Int($0) }
        let listener = try await relay.listen(target: target ?? 0)
        do {
            try await body(relay)
        } catch {
            try await listener.close()
            throw error
        }
        try await listener.close()
    }

    private func listen(target: Int) async throws -> any Channel {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { client in
                ClientBootstrap(group: client.eventLoop)
                    .channelOption(.autoRead, value: false)
                    .connect(host: "127.0.0.1", port: target)
                    .flatMapThrowing { server in
                        try client.pipeline.syncOperations.addHandler(
                            RelayHandler(self, .toServer, to: server))
                        try server.pipeline.syncOperations.addHandler(
                            RelayHandler(self, .toClient, to: client))
                    }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port.withLock { $0 = listener.localAddress?.port ?? 0 }
        return listener
    }

    fileprivate enum Verdict { case pass, cut, hold }

    /// - Parameter total: of this connection in this direction, with these.
    fileprivate func take(_ count: Int, _ direction: Direction, total: Int) -> Verdict {
        state.withLock { state in
            state.counts[direction, default: 0] += count
            switch rule {
            case .cut(direction, let limit, let countMax)
            where total > limit && state.cutCount < countMax:
                state.cutCount += 1
                return .cut
            case .hold(let limit) where direction == .toServer && state.counts[direction]! > limit:
                return .hold
            default: return .pass
            }
        }
    }
}

/// Reads on only when what it read was written.
private final class RelayHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let relay: Relay
    private let direction: Relay.Direction
    private let other: any Channel
    private var total = 0

    init(_ relay: Relay, _ direction: Relay.Direction, to other: any Channel) {
        self.relay = relay
        self.direction = direction
        self.other = other
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { context.read() }
    }

    func channelActive(context: ChannelHandlerContext) { context.read() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        total += bytes.readableBytes
        switch relay.take(bytes.readableBytes, direction, total: total) {
        case .pass:
            let channel = context.channel
            other.writeAndFlush(bytes).whenComplete { _ in channel.read() }
        case .cut:
            context.close(promise: nil)
            other.close(promise: nil)
        case .hold: relay.hasHeld.fire()
        }
    }

    func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
