import Synchronization

/// How many requests a relay has swallowed.
final class DroppedCount: Sendable {
    private let value = Mutex(0)
    var count: Int { value.withLock { $0 } }
    func rise() { value.withLock { $0 += 1 } }
}
