import NIOCore
import NIOHTTP1
import NIOPosix

/// Connections of one event loop to the services. Only touched on that loop.
final class UpstreamPool {
    let limits: RequestLimits
    private let eventLoop: any EventLoop
    private let flushes: FlushQueue
    private let directory: ReplicaDirectory
    private var replicas: [Upstream: [ReplicaConnections]] = [:]
    /// Of the directory when it was looked at.
    private var version: Int
    /// Where the search begins: equally loaded replicas take turns.
    private var turn = 0

    init(
        directory: ReplicaDirectory, limits: RequestLimits, eventLoop: any EventLoop,
        flushes: FlushQueue
    ) {
        self.flushes = flushes
        self.limits = limits
        self.eventLoop = eventLoop
        self.directory = directory
        version = directory.version
        adopt()
    }

    /// Takes over what came, and lets go of what went.
    private func adopt() {
        let known = replicas.values.joined()
        replicas = directory.all.mapValues { states in
            states.map { state in
                known.first { $0.state === state } ?? ReplicaConnections(state: state)
            }
        }
        for replica in known where replica.state.isRemoved {
            replica.closeIdle(before: .distantFuture)
        }
    }

    private func adoptChanges() {
        let latest = directory.version
        guard latest != version else { return }
        version = latest
        adopt()
    }

    /// The replicas of a service in the order to try them: those that answer connections first,
    /// among them the one with the fewest outstanding requests.
    func candidates(_ upstream: Upstream) -> [ReplicaConnections] {
        adoptChanges()
        let all = replicas[upstream] ?? []
        guard all.count > 1 else { return all }
        turn &+= 1
        let start = turn % all.count
        let now = NIODeadline.now()
        let rotated = Array(all[start...] + all[..<start])
        return rotated.enumerated()
            .sorted { one, other in
                let (isOneAvoided, isOtherAvoided) =
                    (one.element.state.isAvoided(at: now), other.element.state.isAvoided(at: now))
                if isOneAvoided != isOtherAvoided { return isOtherAvoided }
                let counts = (
                    one.element.state.outstandingCount, other.element.state.outstandingCount
                )
                return counts.0 == counts.1 ? one.offset < other.offset : counts.0 < counts.1
            }
            .map(\.element)
    }

    /// A new connection, with nobody using it.
    func connect(to replica: ReplicaConnections) -> EventLoopFuture<
        NIOLoopBound<UpstreamConnection>
    > {
        let connection = NIOLoopBound(
            UpstreamConnection(replica: replica, limits: limits, flushes: flushes),
            eventLoop: eventLoop)
        let address: SocketAddress
        do {
            address = try SocketAddress(
                ipAddress: "\(replica.state.address)", port: replica.state.port)
        } catch {
            return eventLoop.makeFailedFuture(error)
        }
        return ClientBootstrap(group: eventLoop)
            .connectTimeout(limits.connect)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    // Framing headers are ours: the encoder must not have opinions of its own.
                    var configuration = HTTPRequestEncoder.Configuration()
                    configuration.automaticallySetFramingHeaders = false
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(HTTPRequestEncoder(configuration: configuration))
                    try pipeline.addHandler(
                        ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes))
                    )
                    try pipeline.addHandler(connection.value)
                }
            }
            .connect(to: address)
            .map { _ in connection }
    }

    func closeIdle(now: NIODeadline) {
        adoptChanges()
        for replica in replicas.values.joined() {
            replica.closeIdle(before: now - limits.upstreamIdle)
        }
    }

    func closeAllIdle() {
        for replica in replicas.values.joined() { replica.closeIdle(before: .distantFuture) }
    }
}
