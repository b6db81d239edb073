import NIOCore
import NIOHTTP1
import NIOPosix

/// An OpenAI-compatible chat model that sends a token at each interval, which is the time it was sent.
enum PacedModel {
    static func serve(
        on port: Int, tokenCount: Int, interval: TimeAmount, _ group: any EventLoopGroup
    ) async throws -> any Channel {
        try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let sync = channel.pipeline.syncOperations
                    try sync.configureHTTPServerPipeline()
                    try sync.addHandler(
                        Answering(tokenCount: tokenCount, interval: interval))
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
    }

    private final class Answering: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let tokenCount: Int
        private let interval: TimeAmount
        private var sentCount = 0

        init(tokenCount: Int, interval: TimeAmount) {
            self.tokenCount = tokenCount
            self.interval = interval
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .end = unwrapInboundIn(data) else { return }
            let head = HTTPResponseHead(
                version: .http1_1, status: .ok,
                headers: [
                    "Content-Type": "text/event-stream", "Transfer-Encoding": "chunked",
                ])
            context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
            sentCount = 0
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) {
                task in
                let (handler, context) = bound.value
                if !handler.sendNext(context) { task.cancel() }
            }
        }

        /// False when the answer is over.
        private func sendNext(_ context: ChannelHandlerContext) -> Bool {
            guard context.channel.isActive else { return false }
            if sentCount < tokenCount {
                sentCount += 1
                let text = #"{"choices":[{"index":0,"delta":{"content":"\#(now()) "}}]}"#
                send("data: \(text)\n\n", context)
                return true
            }
            let finish = #"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#
            send("data: \(finish)\n\ndata: [DONE]\n\n", context)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            return false
        }

        private func send(_ text: String, _ context: ChannelHandlerContext) {
            context.writeAndFlush(
                wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
        }
    }
}
