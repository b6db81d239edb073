/// Runs `body` and gives up, cancelling it, when `limit` has passed.
func withDeadline<Value: Sendable>(
    _ limit: Duration, peer: String, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    guard limit > .zero else { throw OutboundError.timedOut(peer: peer) }
    return try await withThrowingTaskGroup(of: Value.self) { group in
        defer { group.cancelAll() }
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw OutboundError.timedOut(peer: peer)
        }
        guard let first = try await group.next() else { throw OutboundError.cancelled }
        return first
    }
}
