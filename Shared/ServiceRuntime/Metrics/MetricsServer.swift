import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle

/// Whatever has numbers to tell.
package typealias MetricSource = @Sendable () async -> [MetricFamily]

/// `GET /metrics` on a port of its own (`METRICS_PORT`): for Prometheus, never for the public.
struct MetricsServer: Service {
    private static let idle = TimeAmount.seconds(60)

    let host: String
    let port: Int
    let sources: [MetricSource]
    let logger: Logger
    /// Called with the port once connections are accepted.
    private let onListening: @Sendable (Int) -> Void

    init(
        host: String, port: Int, sources: [MetricSource], logger: Logger,
        onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        ProcessMetrics.begin()
        self.host = host
        self.port = port
        self.sources = sources
        self.logger = logger
        self.onListening = onListening
    }

    func run() async throws {
        let sources = sources
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.configureHTTPServerPipeline()
                    try pipeline.addHandler(IdleStateHandler(readTimeout: Self.idle))
                    try pipeline.addHandler(MetricsHandler(sources: sources))
                }
            }
            .bind(host: host, port: port).get()
        let bound = listener.localAddress?.port ?? port
        logger.info("metrics listen", metadata: ["host": "\(host)", "port": "\(bound)"])
        onListening(bound)
        do {
            try await gracefulShutdown()
        } catch {
            // Cancelled instead of asked: it closes all the same.
        }
        try await listener.close()
    }
}

/// Answers the one address there is.
private final class MetricsHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let sources: [MetricSource]
    private var head: HTTPRequestHead?

    init(sources: [MetricSource]) { self.sources = sources }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end:
            guard let head else { return }
            self.head = nil
            guard head.method == .GET, head.uri == "/metrics" else {
                return answer(context, head, .notFound, "Only GET /metrics is here.\n")
            }
            let sources = sources
            let bound = NIOLoopBound(
                (handler: self, context: context), eventLoop: context.eventLoop)
            context.eventLoop.makeFutureWithTask { await Self.text(of: sources) }
                .whenSuccess { text in
                    bound.value.handler.answer(bound.value.context, head, .ok, text)
                }
        }
    }

    private static func text(of sources: [MetricSource]) async -> String {
        var families = ProcessMetrics().metrics()
        for source in sources { families += await source() }
        return families.map(\.exposition).joined()
    }

    private func answer(
        _ context: ChannelHandlerContext, _ request: HTTPRequestHead,
        _ status: HTTPResponseStatus, _ text: String
    ) {
        let body = ByteBuffer(string: text)
        var head = HTTPResponseHead(version: request.version, status: status)
        head.headers.add(name: "Content-Type", value: "text/plain; version=0.0.4; charset=utf-8")
        head.headers.add(name: "Content-Length", value: String(body.readableBytes))
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
