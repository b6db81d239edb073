import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import ServiceRuntime
import Synchronization

/// The public port: an event loop per core, a `Door` on each.
final class GatewayServer: Service, Sendable {
    /// Between "stop" and the connections being cut: shorter than orchestrators wait.
    static let drainMax = TimeAmount.seconds(15)

    let host: String
    let port: Int
    let rules: DoorRules
    /// Called with the port once connections are accepted.
    private let onListening: @Sendable (Int) -> Void
    /// Between saying that it is not ready and taking no more connections.
    private let farewell: Duration
    private let drainMax: TimeAmount
    private let open = Mutex<[NIOLoopBound<Door>]>([])

    init(
        host: String, port: Int, rules: DoorRules,
        farewell: Duration = .zero, drainMax: TimeAmount = GatewayServer.drainMax,
        onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.host = host
        self.port = port
        self.rules = rules
        self.farewell = farewell
        self.drainMax = drainMax
        self.onListening = onListening
    }

    /// What is open now, and all that was answered since the start.
    func metrics() async -> [MetricFamily] {
        var loops: [GatewayMetrics.Loop] = []
        for door in open.withLock({ $0 }) {
            // An event loop that runs no more has nothing to tell.
            guard let loop = try? await door.eventLoop.submit({ door.value.metrics }).get() else {
                continue
            }
            loops.append(loop)
        }
        return GatewayMetrics(loops: loops, replicas: rules.replicas.all).families
    }

    func run() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let doors = try await openDoors(on: group)
        let listener = try await listen(on: group, doors)
        let bound = listener.localAddress?.port ?? port
        rules.logger.info("gateway listens", metadata: ["host": "\(host)", "port": "\(bound)"])
        open.withLock { $0 = Array(doors.values) }
        onListening(bound)
        await waitForShutdown()
        await rules.readiness.stop()
        // Only cancellation ends the wait early, and then nobody is waited for.
        try? await Task.sleep(for: farewell)
        try await listener.close()
        await drain(Array(doors.values))
    }

    private func openDoors(
        on group: MultiThreadedEventLoopGroup
    ) async throws -> [ObjectIdentifier: NIOLoopBound<Door>] {
        var doors: [ObjectIdentifier: NIOLoopBound<Door>] = [:]
        let rules = rules
        for eventLoop in group.makeIterator() {
            doors[ObjectIdentifier(eventLoop)] = try await eventLoop.submit {
                let door = Door(rules: rules, eventLoop: eventLoop)
                door.startTicking()
                return NIOLoopBound(door, eventLoop: eventLoop)
            }.get()
        }
        return doors
    }

    private func listen(
        on group: MultiThreadedEventLoopGroup, _ doors: [ObjectIdentifier: NIOLoopBound<Door>]
    ) async throws -> any Channel {
        try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                guard let door = doors[ObjectIdentifier(channel.eventLoop)] else {
                    return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
                }
                return ClientPipeline(door: door).configure(channel)
            }
            .bind(host: host, port: port).get()
    }

    private func waitForShutdown() async {
        do {
            try await gracefulShutdown()
        } catch {
            // Cancelled instead of asked: the door closes all the same.
        }
    }

    private func drain(_ doors: [NIOLoopBound<Door>]) async {
        let drainMax = drainMax
        await withTaskGroup(of: Void.self) { group in
            for door in doors {
                let eventLoop = door.eventLoop
                group.addTask {
                    let over = eventLoop.flatSubmit {
                        eventLoop.scheduleTask(in: drainMax) { door.value.closeAll() }
                        return door.value.drain()
                    }
                    // The promise behind it is only ever succeeded.
                    try? await over.get()
                    // The loop outlives us; only its ticking has to end.
                    try? await eventLoop.submit { door.value.closeAll() }.get()
                }
            }
        }
    }
}
