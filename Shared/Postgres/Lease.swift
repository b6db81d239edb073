internal import Synchronization

/// One caller's use of a connection: until when, and whether it still wants the answer.
final class Lease: Sendable {
    let deadline: ContinuousClock.Instant
    let wakeup: Wakeup
    private let cancelled = Atomic(false)

    init(_ duration: Duration, wakeup: Wakeup) {
        deadline = .now + duration
        self.wakeup = wakeup
    }

    /// From any thread. The connection's own thread then asks the server to stop.
    func cancel() {
        cancelled.store(true, ordering: .releasing)
        wakeup.signal()
    }

    /// Why no further statement may run.
    var interruption: PostgresError? {
        if cancelled.load(ordering: .acquiring) { return .cancelled }
        return deadline <= .now ? .timedOut : nil
    }
}
