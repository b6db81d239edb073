import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOSSL

/// What stands between a client's socket and a `ClientConnection`.
///
/// Everything here runs on the event loop of the channel, which is the door's.
struct ClientPipeline: Sendable {
    /// What RFC 9113, 6.5.2, recommends at least.
    private static let streamCountMax = 100
    /// Of one stream: what a fast line has on its way.
    private static let windowByteCount = 256 << 10

    let door: NIOLoopBound<Door>

    /// Plain HTTP/1.1, or whatever of HTTP/1.1 and HTTP/2 is agreed on under TLS.
    func configure(_ channel: any Channel) -> EventLoopFuture<Void> {
        guard let identity = door.value.rules.identity else {
            return channel.eventLoop.makeCompletedFuture { try http1(channel, .plain) }
        }
        let connection = NIOLoopBound(
            TLSConnection(door: door.value), eventLoop: channel.eventLoop)
        do {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(NIOSSLServerHandler(context: identity.context))
            try pipeline.addHandler(connection.value)
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
        return channel.configureHTTP2SecureUpgrade(
            h2ChannelConfigurator: { channel in
                channel.eventLoop.makeCompletedFuture { try http2(channel, connection) }
            },
            http1ChannelConfigurator: { channel in
                channel.eventLoop.makeCompletedFuture {
                    try http1(channel, .secure(connection.value))
                }
            })
    }

    private func http1(_ channel: any Channel, _ carrier: ClientConnection.Carrier) throws {
        let pipeline = channel.pipeline.syncOperations
        // Pipelining is the connection's own affair; what it sends was read by a parser or written
        // by us.
        try pipeline.configureHTTPServerPipeline(
            withPipeliningAssistance: false, withErrorHandling: false,
            withOutboundHeaderValidation: false, withEncoderConfiguration: .init(),
            withDecoderLimitConfiguration: door.value.limits.decoder)
        try pipeline.addHandler(ClientConnection(door: door.value, carrier))
    }

    /// The library's limits on floods of frames are in force (RFC 9113, 10.5).
    private func http2(
        _ channel: any Channel, _ connection: NIOLoopBound<TLSConnection>
    ) throws {
        connection.value.carriesStreams()
        let limits = door.value.limits
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: Self.streamCountMax),
            HTTP2Setting(parameter: .maxHeaderListSize, value: limits.headerListByteCountMax),
            HTTP2Setting(parameter: .initialWindowSize, value: Self.windowByteCount),
        ]
        configuration.targetWindowSize = Self.windowByteCount * 4
        var streams = NIOHTTP2Handler.StreamConfiguration()
        streams.targetWindowSize = Self.windowByteCount
        let manager = NIOHTTP2ServerConnectionManagementHandler(
            eventLoop: channel.eventLoop,
            configuration: .init(
                maxIdleTime: limits.idle, maxAge: nil, maxGraceTime: nil, keepalive: nil))
        let pipeline = channel.pipeline.syncOperations
        _ = try pipeline.configureHTTP2Pipeline(
            mode: .server, connectionConfiguration: configuration, streamConfiguration: streams,
            streamDelegate: manager.http2StreamDelegate
        ) { stream in
            connection.value.streamBegan()
            stream.closeFuture.whenComplete { _ in connection.value.streamEnded() }
            return stream.eventLoop.makeCompletedFuture {
                let pipeline = stream.pipeline.syncOperations
                try pipeline.addHandler(HTTP2FramePayloadToHTTP1ServerCodec())
                try pipeline.addHandler(ClientConnection(door: door.value, .stream))
            }
        }
        try pipeline.addHandler(manager)
        try pipeline.addHandler(ConnectionErrors())
    }

    /// Ends a stream whose answer is whole and whose request is not, without calling that a failure
    /// (RFC 9113, 8.1).
    static func endStream(_ context: ChannelHandlerContext) {
        do {
            let codec = try context.pipeline.syncOperations.context(
                handlerType: HTTP2FramePayloadToHTTP1ServerCodec.self)
            codec.writeAndFlush(
                NIOAny(HTTP2Frame.FramePayload.rstStream(.noError)), promise: nil)
        } catch {
            // Without its codec a stream has nobody to tell.
        }
        context.close(promise: nil)
    }
}

/// The library tells the client what was wrong, and leaves the rest to us.
private final class ConnectionErrors: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
