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

        /// Frames come whole and alone nearly always: looking at one must cost little beside bringing it.
        private func note(_ bytes: ByteBufferView) {
            let arrival = now()
            rest += bytes
            var start = 0
            while let length = rest[start...].offset(of: "\n\n") {
                take(rest[start..<start + length], arrival)
                start += length + 2
            }
            rest.removeFirst(start)
        }

        private func take(_ frame: ArraySlice<UInt8>, _ arrival: UInt64) {
            let token: StaticString = #""type": "token", "data": ""#
            if let start = frame.offset(of: token) {
                let text = frame.dropFirst(start + token.utf8CodeUnitCount)
                let digits = text.drop { $0 == 32 }.prefix { (48...57).contains($0) }
                let sent = digits.reduce(UInt64(0)) { $0 * 10 + UInt64($1 - 48) }
                // White space that was held back may come alone.
                if sent > 0 { reading.nanoseconds.append(arrival - min(sent, arrival)) }
            } else {
                reading.isWhole = frame.offset(of: #""finish_reason":"stop""#) != nil
                reading.lastEvent = String(decoding: frame, as: UTF8.self)
            }
        }
    }
}

extension ArraySlice<UInt8> {
    fileprivate func offset(of text: StaticString) -> Int? {
        let count = text.utf8CodeUnitCount
        return withUnsafeBytes { bytes in
            guard bytes.count >= count else { return nil }
            return (0...bytes.count - count).first { start in
                (0..<count).allSatisfy { bytes[start + $0] == text.utf8Start[$0] }
            }
        }
    }
}
