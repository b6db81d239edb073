import NIOCore
import NIOHTTP1
import NIOPosix

/// One client of an answer.
enum Reader {
    static func read(
        _ port: Int, bearer: String, _ group: any EventLoopGroup
    ) async throws -> Reading {
        let result = group.next().makePromise(of: Reading.self)
        let channel = try await ClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let sync = channel.pipeline.syncOperations
                    try sync.addHTTPClientHandlers()
                    try sync.addHandler(Noting(bearer: bearer, result: result))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        let reading = try await result.futureResult.get()
        try await channel.close()
        return reading
    }

    private final class Noting: ChannelInboundHandler {
        typealias InboundIn = HTTPClientResponsePart
        typealias OutboundOut = HTTPClientRequestPart

        private let bearer: String
        private let result: EventLoopPromise<Reading>
        private var reading = Reading()
        /// Of a frame that has not ended.
        private var rest: [UInt8] = []

        init(bearer: String, result: EventLoopPromise<Reading>) {
            self.bearer = bearer
            self.result = result
        }

        func channelActive(context: ChannelHandlerContext) {
            let body = ByteBuffer(string: #"{"message": "Say what time it is, again and again."}"#)
            let head = HTTPRequestHead(
                version: .http1_1, method: .POST, uri: "/chat",
                headers: [
                    "Host": "127.0.0.1", "Authorization": "Bearer \(bearer)",
                    "Content-Type": "application/json", "Content-Length": "\(body.readableBytes)",
                ])
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head: break
            case .body(let buffer): note(buffer.readableBytesView)
            case .end: result.succeed(reading)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { result.fail(error) }

        func channelInactive(context: ChannelHandlerContext) { result.succeed(reading) }

        private func note(_ bytes: ByteBufferView) {
            let arrival = now()
            rest += bytes
            while let end = rest.firstRange(of: [10, 10])?.upperBound {
                take(rest[..<end], arrival)
                rest.removeFirst(end)
            }
        }

        private func take(_ frame: ArraySlice<UInt8>, _ arrival: UInt64) {
            let token = Array(#""type": "token", "data": ""#.utf8)
            if let start = frame.firstRange(of: token)?.upperBound {
                let digits = frame[start...].drop { $0 == 32 }.prefix { (48...57).contains($0) }
                let sent = digits.reduce(UInt64(0)) { $0 * 10 + UInt64($1 - 48) }
                // White space that was held back may come alone.
                if sent > 0 { reading.nanoseconds.append(arrival - min(sent, arrival)) }
            } else {
                reading.isWhole =
                    frame.firstRange(of: Array(#""finish_reason":"stop""#.utf8)) != nil
                reading.lastEvent = String(decoding: frame, as: UTF8.self)
            }
        }
    }
}
