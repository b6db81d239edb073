package import Logging
import ServiceLifecycle
import Synchronization

/// A message of one session to all that listen. An empty payload may also mean: we were away.
package struct Notification: Sendable, Equatable {
    package let channel: String
    package let payload: String
}

/// Listens on a connection of its own, and comes back when it breaks.
///
/// After each connect every stream gets a notification with an empty payload, since some may have
/// been missed: a listener looks again at what it waits for.
package final class PostgresListener: Service, Sendable {
    private let configuration: PostgresConfiguration
    private let channels: [String]
    private let logger: Logger
    private let streams = Mutex<[Int: (channel: String, stream: AsyncStream<Notification>.Continuation)]>([:])
    private let nextID = Atomic(0)

    /// Notifications kept for a slow listener; older ones go, and it looks again anyway.
    private static let bufferCountMax = 256

    package init(_ configuration: PostgresConfiguration, channels: [String], logger: Logger) {
        self.configuration = configuration
        self.channels = channels
        self.logger = logger
    }

    package func notifications(on channel: String) -> AsyncStream<Notification> {
        let id = nextID.add(1, ordering: .relaxed).newValue
        let (stream, continuation) = AsyncStream.makeStream(
            of: Notification.self, bufferingPolicy: .bufferingNewest(Self.bufferCountMax))
        continuation.onTermination = { [weak self] _ in
            _ = self?.streams.withLock { $0.removeValue(forKey: id) }
        }
        streams.withLock { $0[id] = (channel, continuation) }
        return stream
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var pause: Duration = .milliseconds(100)
            while !Task.isCancelled {
                do {
                    try await self.listen()
                    pause = .milliseconds(100)
                } catch is CancellationError {
                    break
                } catch {
                    self.logger.warning(
                        "postgres listener reconnects", metadata: ["reason": "\(error)"])
                }
                // Cancelled while it waits: the loop's condition ends it.
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(5))
            }
        }
        streams.withLock { streams in streams.values.forEach { $0.stream.finish() } }
    }

    private func listen() async throws {
        let connection = try PostgresConnection()
        try await connection.open(configuration)
        let channels = channels
        try await connection.read(until: .now + .seconds(5)) { session in
            for channel in channels { try session.wire.simple("LISTEN \(channel)") }
        }
        for channel in channels { deliver(Notification(channel: channel, payload: "")) }
        await withTaskCancellationHandler {
            while !Task.isCancelled {
                guard let news = try? await connection.notifications(until: .now + .seconds(30))
                else { break }  // the connection broke; run() says so by connecting anew
                news.forEach(deliver)
            }
        } onCancel: {
            connection.interruptStatement()
        }
        await connection.close()
    }

    private func deliver(_ notification: Notification) {
        let receivers = streams.withLock { streams in
            streams.values.filter { $0.channel == notification.channel }.map(\.stream)
        }
        for receiver in receivers { receiver.yield(notification) }
    }
}
