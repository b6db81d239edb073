import NIOCore

/// One event loop's connections to a replica. Only touched on that loop.
final class ReplicaConnections {
    let state: ReplicaState
    private(set) var idle: [UpstreamConnection] = []

    init(state: ReplicaState) { self.state = state }

    func popIdle() -> UpstreamConnection? { idle.popLast() }

    func keep(_ connection: UpstreamConnection, limits: RequestLimits) {
        guard idle.count < limits.upstreamIdleCountMax, !state.isRemoved else {
            return connection.close()
        }
        idle.append(connection)
    }

    func forget(_ connection: UpstreamConnection) { idle.removeAll { $0 === connection } }

    /// Closes what was not used for too long; the oldest come first.
    func closeIdle(before instant: NIODeadline) {
        for connection in idle.filter({ $0.idleSince < instant }) { connection.close() }
    }
}
