import Synchronization

/// Notices that a peer is silent for too long, or that an exchange takes too long. One clock for a whole
/// stream: each of its pieces costs two looks at the time.
final class Watchdog: Sendable {
    private let idle: Duration
    private let end: ContinuousClock.Instant
    private struct State {
        /// Since when the reader waits; nil while it is at work, which is no silence of the peer.
        var waitingSince: ContinuousClock.Instant?
        var isOver = false
    }

    private let state = Mutex(State())

    init(idle: Duration, end: ContinuousClock.Instant) {
        self.idle = idle
        self.end = end
    }

    /// The time was over before the exchange was.
    var isOver: Bool { state.withLock { $0.isOver } }

    func beginWaiting() {
        let now = ContinuousClock.now
        state.withLock { $0.waitingSince = now }
    }

    func endWaiting() { state.withLock { $0.waitingSince = nil } }

    /// Returns when the time is over, or the task is cancelled.
    func waitForSilence() async {
        while !Task.isCancelled {
            let now = ContinuousClock.now
            let due = state.withLock { state in
                let due = min(end, (state.waitingSince ?? now) + idle)
                if due <= now { state.isOver = true }
                return due
            }
            if due <= now { return }
            // Cancellation ends the sleep, and with it the loop.
            do { try await Task.sleep(until: due, clock: .continuous) } catch { return }
        }
    }
}
