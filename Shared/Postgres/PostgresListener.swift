internal import CLibPQ
package import Logging
internal import ServiceLifecycle
internal import Synchronization

/// What a NOTIFY carried. An empty payload says that something may have been missed: read again.
package struct Notification: Sendable, Hashable {
    package let channel: String
    package let payload: String

    package init(channel: String, payload: String) {
        self.channel = channel
        self.payload = payload
    }

    init(_ notification: PGnotify) {
        channel = notification.relname.map { String(cString: $0) } ?? ""
        payload = notification.extra.map { String(cString: $0) } ?? ""
    }
}

/// LISTENs on a connection of its own, and goes on doing so whatever happens to it.
package final class PostgresListener: Service, Sendable {
    private struct State {
        var nextID = 0
        var isConnected = false
        var isOver = false
        var listeners: [Int: (channel: String, stream: AsyncStream<Notification>.Continuation)] =
            [:]
    }

    private let configuration: PostgresConfiguration
    private let channels: [String]
    private let logger: Logger
    private let state = Mutex(State())

    /// Of one stream. What does not fit is dropped, oldest first, and said to be.
    private static let bufferCountMax = 1024
    /// Between two proofs that the server is still there.
    private static let probeInterval: Duration = .seconds(20)

    package init(_ configuration: PostgresConfiguration, channels: [String], logger: Logger) {
        self.configuration = configuration
        self.channels = channels
        self.logger = logger
    }

    /// From now on. An empty payload comes first when the connection stands, and again whenever it
    /// was made anew or something was dropped.
    package func notifications(on channel: String) -> AsyncStream<Notification> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Notification.self, bufferingPolicy: .bufferingNewest(Self.bufferCountMax))
        state.withLock { state in
            guard !state.isOver else { return continuation.finish() }
            let id = state.nextID
            state.nextID += 1
            state.listeners[id] = (channel, continuation)
            continuation.onTermination = { [weak self] _ in
                self?.state.withLock { state in state.listeners[id] = nil }
            }
            if state.isConnected {
                continuation.yield(Notification(channel: channel, payload: ""))
            }
        }
        return stream
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown { await self.listenForever() }
        let streams = state.withLock { state in
            state.isOver = true
            defer { state.listeners = [:] }
            return state.listeners.values.map(\.stream)
        }
        for stream in streams { stream.finish() }
    }

    private func listenForever() async {
        var failureCount = 0
        while !Task.isCancelled {
            do {
                try await listen { failureCount = 0 }
            } catch {
                state.withLock { $0.isConnected = false }
                if Task.isCancelled { return }
                failureCount += 1
                logger.warning(
                    "lost the database's notifications", metadata: ["error": "\(error)"])
                // Up to 5 s, of which half is chance. Cancellation ends the loop above.
                let base = min(5, 0.1 * Double(1 << min(failureCount, 6)))
                try? await Task.sleep(for: .seconds(Double.random(in: base / 2...base)))
            }
        }
    }

    private func listen(_ connected: () -> Void) async throws {
        let connection = Connection()
        try await connection.open(configuration)
        let channels = channels
        let lease = Lease(.seconds(5), wakeup: connection.wakeup)
        try await connection.read(lease) { session in
            // A channel is a name, not a value, and ours are constants.
            for channel in channels {
                try session.run(script: "LISTEN \"\(channel)\"")
            }
        }
        connected()
        state.withLock { $0.isConnected = true }
        for channel in channels { publish(Notification(channel: channel, payload: "")) }
        try await withTaskCancellationHandler {
            try await receive(connection)
        } onCancel: {
            connection.wakeup.signal()
        }
        await connection.close()
    }

    private func receive(_ connection: Connection) async throws {
        var provenAt = ContinuousClock.now
        while !Task.isCancelled {
            let received = try await connection.waitForNotifications(Self.probeInterval)
            for notification in received { publish(notification) }
            guard ContinuousClock.now - provenAt >= Self.probeInterval else { continue }
            let lease = Lease(.seconds(5), wakeup: connection.wakeup)
            try await connection.read(lease) { session in _ = try session.run("SELECT 1") }
            provenAt = .now
        }
    }

    private func publish(_ notification: Notification) {
        let streams = state.withLock { state in
            state.listeners.values.filter { $0.channel == notification.channel }.map(\.stream)
        }
        for stream in streams {
            guard case .dropped = stream.yield(notification) else { continue }
            stream.yield(Notification(channel: notification.channel, payload: ""))
        }
    }
}
