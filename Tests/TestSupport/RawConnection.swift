package import NIOCore
import NIOPosix

/// Reads only when asked to, so that a test decides how fast it takes what comes.
private final class DemandHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private var arrived: [ByteBuffer] = []
    private var waiting: EventLoopPromise<ByteBuffer?>?
    private var isEnded = false
    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func next(on eventLoop: any EventLoop) -> EventLoopFuture<ByteBuffer?> {
        if !arrived.isEmpty { return eventLoop.makeSucceededFuture(arrived.removeFirst()) }
        guard !isEnded, let context else { return eventLoop.makeSucceededFuture(nil) }
        let promise = eventLoop.makePromise(of: ByteBuffer?.self)
        waiting = promise
        context.read()
        return promise.futureResult
    }

    /// A read asked for before the channel was active was lost.
    func channelActive(context: ChannelHandlerContext) {
        if waiting != nil { context.read() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        if let waiting {
            self.waiting = nil
            waiting.succeed(bytes)
        } else {
            arrived.append(bytes)
        }
    }

    func channelInactive(context: ChannelHandlerContext) { end() }
    func handlerRemoved(context: ChannelHandlerContext) { end() }

    /// A reset is an end too.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end()
        context.close(promise: nil)
    }

    private func end() {
        isEnded = true
        context = nil
        waiting?.succeed(nil)
        waiting = nil
    }
}

/// A channel and the handler at its end.
private struct Accepted: Sendable {
    let channel: any Channel
    let handler: NIOLoopBound<DemandHandler>

    /// Must be called on the channel's loop.
    init(_ channel: any Channel) throws {
        let handler = DemandHandler()
        try channel.pipeline.syncOperations.addHandler(handler)
        self.channel = channel
        self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
    }
}

/// One TCP connection of a test, byte by byte. Used by one task.
package final class RawConnection {
    private let accepted: Accepted
    private var buffer = ByteBuffer()
    /// The other side closed, or broke off.
    package private(set) var isEnded = false

    private init(_ accepted: Accepted) { self.accepted = accepted }

    package static func connect<R>(
        port: Int, _ body: (RawConnection) async throws -> R
    ) async throws -> R {
        let accepted = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: false)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture { try Accepted(channel) }
            }
        return try await run(accepted, body)
    }

    fileprivate static func run<R>(
        _ accepted: Accepted, _ body: (RawConnection) async throws -> R
    ) async throws -> R {
        let connection = RawConnection(accepted)
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }

    package func send(_ text: String) async throws {
        try await send(ByteBuffer(string: text))
    }

    package func send(_ bytes: ByteBuffer) async throws {
        try await accepted.channel.writeAndFlush(bytes).get()
    }

    /// Closes now, without waiting for what the other side still says.
    package func close() async {
        // It may be closed already, which is what is wanted.
        try? await accepted.channel.close().get()
    }

    /// Next bytes of any number; nil at the end, however it came.
    package func some() async -> ByteBuffer? {
        if buffer.readableBytes > 0 {
            defer { buffer = ByteBuffer() }
            return buffer
        }
        guard await more() else { return nil }
        return await some()
    }

    /// Up to and without the delimiter; nil if the connection ends before it.
    package func text(before delimiter: String) async -> String? {
        while true {
            if let range = find(delimiter) {
                let text = buffer.readString(length: range)
                buffer.moveReaderIndex(forwardBy: delimiter.utf8.count)
                return text
            }
            guard await more() else { return nil }
        }
    }

    /// Exactly so many bytes; nil if the connection ends before them.
    package func text(count: Int) async -> String? {
        while buffer.readableBytes < count {
            guard await more() else { return nil }
        }
        return buffer.readString(length: count)
    }

    /// All that comes until the end.
    package func rest() async -> String {
        while await more() {}
        return buffer.readString(length: buffer.readableBytes) ?? ""
    }

    private func more() async -> Bool {
        guard !isEnded else { return false }
        let (eventLoop, handler) = (accepted.channel.eventLoop, accepted.handler)
        // The promise behind it is only ever succeeded.
        let next = try? await eventLoop.flatSubmit { handler.value.next(on: eventLoop) }.get()
        if var bytes = next ?? nil {
            buffer.writeBuffer(&bytes)
            return true
        }
        isEnded = true
        return false
    }

    private func find(_ delimiter: String) -> Int? {
        let wanted = Array(delimiter.utf8)
        let view = buffer.readableBytesView
        guard view.count >= wanted.count else { return nil }
        for start in 0...(view.count - wanted.count) {
            let from = view.startIndex + start
            if view[from..<(from + wanted.count)].elementsEqual(wanted) { return start }
        }
        return nil
    }
}

/// A TCP server on a free port whose every connection is handled by a test's closure.
package struct RawServer: Sendable {
    package let port: Int

    package static func run<R>(
        host: String = "127.0.0.1", port: Int = 0,
        _ handle: @escaping @Sendable (RawConnection) async throws -> Void,
        _ body: (RawServer) async throws -> R
    ) async throws -> R {
        let (connections, arrival) = AsyncStream.makeStream(of: Accepted.self)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { arrival.yield(try Accepted(channel)) }
            }
            .bind(host: host, port: port).get()
        let port = listener.localAddress?.port ?? 0
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await withDiscardingTaskGroup { handlers in
                    for await accepted in connections {
                        handlers.addTask {
                            await withTaskCancellationHandler {
                                // A test's client may go at any time; its handler then just ends.
                                try? await RawConnection.run(accepted, handle)
                            } onCancel: {
                                accepted.channel.close(promise: nil)
                            }
                        }
                    }
                    handlers.cancelAll()
                }
            }
            do {
                let result = try await body(RawServer(port: port))
                try await listener.close()
                group.cancelAll()
                return result
            } catch {
                try await listener.close()
                group.cancelAll()
                throw error
            }
        }
    }
}
