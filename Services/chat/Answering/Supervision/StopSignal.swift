import Synchronization

/// Why an answer is to stop although nothing failed.
enum StopReason: Sendable {
    /// Its member asked for it.
    case cancelled
    /// Its conversation was deleted, or another replica took the message for abandoned.
    case gone
    /// Postgres has been away for longer than its events can be held.
    case unsaved
    case shuttingDown
}

/// Set once; whoever waits for it wakes.
final class StopSignal: Sendable {
    private struct State {
        var reason: StopReason?
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    var reason: StopReason? { state.withLock { $0.reason } }

    func set(_ reason: StopReason) {
        let waiter = state.withLock { state in
            if state.reason == nil { state.reason = reason }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// For one waiter. Returns when the signal is set, or the task is cancelled.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.reason != nil || Task.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }
    }
}
