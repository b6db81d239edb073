package import NIOCore

extension NIOAsyncChannel where Inbound == ByteBuffer, Outbound == ByteBuffer {
    /// An accepted connection that has not been read from, as async bytes.
    package static func reading(
        _ channel: any Channel
    ) async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        let wrapped = try await channel.eventLoop.submit {
            try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }.get()
        do {
            try await channel.setOption(.autoRead, value: true).get()
        } catch {
            // Gone already; serving it says so.
        }
        return wrapped
    }
}
