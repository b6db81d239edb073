internal import Synchronization

/// Wakes those who wait for work. A ring while nobody waits is remembered.
final class Bell: Sendable {
    private struct State {
        var ringCount = 0
        var nextID = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    /// To be read before looking for work.
    var ringCount: Int { state.withLock { $0.ringCount } }

    func ring() {
        let waiting = state.withLock { state in
            state.ringCount += 1
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Returns at once if it has rung since the count was read, or when the task is cancelled.
    func wait(after ringCount: Int) async {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDue = state.withLock { state in
                    // Cancelled later than this, it is found among those who wait.
                    if state.ringCount != ringCount || Task.isCancelled { return true }
                    state.waiting[id] = continuation
                    return false
                }
                if isDue { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: id) }?.resume()
        }
    }

    /// The same, but not longer than this.
    func wait(after ringCount: Int, atMost limit: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait(after: ringCount) }
            // Cancelled when the bell was first.
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }
}
