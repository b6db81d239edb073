import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOSSL

/// What stands between a client's socket and a `ClientConnection`.
///
/// Everything here runs on the event loop of the channel, which is the door's.
struct ClientPipeline: Sendable {
    private static let streamCountMax = 100

    let door: NIOLoopBound<Door>

    /// Plain HTTP/1.1, or whatever of HTTP/1.1 and HTTP/2 is agreed on under TLS.
    func configure(_ channel: any Channel) -> EventLoopFuture<Void> {
        guard let identity = door.value.rules.identity else {
            return channel.eventLoop.makeCompletedFuture { try http1(channel, .plain) }
        }
        do {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(NIOSSLServerHandler(context: identity.context))
            try pipeline.addHandler(TLSConnection(door: door.value))
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
        return channel.configureHTTP2SecureUpgrade(
            h2ChannelConfigurator: { channel in
                channel.eventLoop.makeCompletedFuture { try http2(channel) }
            },
            http1ChannelConfigurator: { channel in
                channel.eventLoop.makeCompletedFuture { try http1(channel, .secure) }
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
    private func http2(_ channel: any Channel) throws {
        let limits = door.value.limits
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: Self.streamCountMax),
            HTTP2Setting(parameter: .maxHeaderListSize, value: limits.headerByteCountMax),
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
            stream.eventLoop.makeCompletedFuture {
                let pipeline = stream.pipeline.syncOperations
                try pipeline.addHandler(HTTP2FramePayloadToHTTP1ServerCodec())
                try pipeline.addHandler(ClientConnection(door: door.value, .stream))
            }
        }
        try pipeline.addHandler(manager)
    }

    private static let windowByteCount = 256 << 10
}
