package import NIOCore
import NIOPosix
internal import Synchronization

/// A TCP relay in front of a server: forwards every byte both ways, but for what the test holds back.
package final class Relay: Sendable {
    package let port: Int
    private let inspect: Inspection
    private let upstreamPort: Int

    /// Looks at bytes on their way to the server, as they come, and may take its time. False drops
    /// them, and the connection then stands silent.
    package typealias Inspection = @Sendable (ByteBuffer) async throws -> Bool
    private typealias Bytes = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private init(port: Int, upstreamPort: Int, inspect: @escaping Inspection) {
        self.port = port
        self.upstreamPort = upstreamPort
        self.inspect = inspect
    }

    package static func run<Value>(
        to upstreamPort: Int, inspect: @escaping Inspection,
        _ body: (Relay) async throws -> Value
    ) async throws -> Value {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try Bytes(wrappingChannelSynchronously: channel)
                }
            }
        let relay = Relay(
            port: listener.channel.localAddress?.port ?? 0, upstreamPort: upstreamPort,
            inspect: inspect)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                // Ends, like its connections, by cancellation.
                try? await listener.executeThenClose { clients in
                    await withDiscardingTaskGroup { connections in
                        do {
                            for try await client in clients {
                                connections.addTask { await relay.serve(client) }
                            }
                        } catch {
                            // The listener has ended.
                        }
                        connections.cancelAll()
                    }
                }
            }
            defer { group.cancelAll() }
            return try await body(relay)
        }
    }

    private func serve(_ client: Bytes) async {
        // Either side may go at any time, and takes the other with it.
        try? await client.executeThenClose { fromClient, toClient in
            let server = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: upstreamPort) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try Bytes(wrappingChannelSynchronously: channel)
                    }
                }
            try await server.executeThenClose { fromServer, toServer in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        for try await bytes in fromClient where try await self.inspect(bytes) {
                            try await toServer.write(bytes)
                        }
                    }
                    group.addTask {
                        for try await bytes in fromServer { try await toClient.write(bytes) }
                    }
                    try await group.next()
                    group.cancelAll()
                }
            }
        }
    }
}
