import Identity
import Logging
import NIOCore
import NIOHTTP1
import ServiceRuntime

/// All that the connections of one event loop share. Only touched on that loop.
final class Door {
    let eventLoop: any EventLoop
    let rules: DoorRules
    let pool: UpstreamPool
    let flushes: FlushQueue
    let internalTokens: InternalTokens
    private let accessLog: AccessLog
    private var requests = RequestMetrics()
    var random = BufferedRandomness()
    private var connections: [ObjectIdentifier: any DoorVisitor] = [:]
    private var ticking: RepeatedTask?
    private var drained: EventLoopPromise<Void>?

    init(rules: DoorRules, eventLoop: any EventLoop) {
        self.rules = rules
        self.eventLoop = eventLoop
        flushes = FlushQueue(eventLoop: eventLoop)
        pool = UpstreamPool(
            directory: rules.replicas, limits: rules.limits, eventLoop: eventLoop,
            flushes: flushes)
        internalTokens = InternalTokens(issuer: rules.issuer)
        accessLog = AccessLog(eventLoop: eventLoop, output: rules.accessLog)
    }

    var limits: RequestLimits { rules.limits }
    var isDraining: Bool { drained != nil }

    /// The problem when there is no place for it.
    func admit(_ connection: any DoorVisitor) -> Problem? {
        if isDraining, connection.isCounted { return .upstreamDown }
        if connection.isCounted,
            let problem = rules.clientLimits.enter(counted(connection))
        {
            return problem
        }
        connections[ObjectIdentifier(connection)] = connection
        return nil
    }

    func forget(_ connection: any DoorVisitor) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        if connection.isCounted { rules.clientLimits.leave(counted(connection)) }
        if connections.isEmpty { drained?.succeed() }
    }

    /// A trusted proxy's connections are many clients'.
    private func counted(_ connection: any DoorVisitor) -> IPAddress? {
        rules.trustedProxies.contain(connection.peer) ? nil : connection.peer
    }

    /// A request has its answer, or nobody to answer.
    func finish(_ record: RequestRecord) {
        accessLog.add(record)
        requests.add(record)
    }

    var metrics: GatewayMetrics.Loop {
        GatewayMetrics.Loop(
            requests: requests,
            connectionCount: connections.values.count(where: \.isCounted),
            streamCount: connections.values.count(where: \.isStreaming))
    }

    /// One look a second at every connection: cheaper than a timer per request.
    func startTicking() {
        let door = NIOLoopBound(self, eventLoop: eventLoop)
        ticking = eventLoop.scheduleRepeatedTask(
            initialDelay: .seconds(1), delay: .seconds(1)
        ) { _ in door.value.tick() }
    }

    private func tick() {
        let now = NIODeadline.now()
        for connection in Array(connections.values) { connection.tick(now) }
        pool.closeIdle(now: now)
    }

    /// Lets running exchanges finish; the future succeeds when the last connection is gone.
    func drain() -> EventLoopFuture<Void> {
        if let drained { return drained.futureResult }
        let promise = eventLoop.makePromise(of: Void.self)
        drained = promise
        for connection in Array(connections.values) { connection.drain() }
        pool.closeAllIdle()
        if connections.isEmpty { promise.succeed() }
        return promise.futureResult
    }

    func closeAll() {
        ticking?.cancel()
        for connection in Array(connections.values) { connection.close() }
        pool.closeAllIdle()
        accessLog.flush()
    }
}
