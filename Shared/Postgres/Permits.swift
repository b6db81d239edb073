internal import Synchronization

/// A fixed number of turns, given out in the order of asking.
final class Permits: Sendable {
    private struct State {
        var freeCount: Int
        var nextTicket = 0
        var waiting: [(ticket: Int, turn: CheckedContinuation<Bool, Never>)] = []
    }

    private let state: Mutex<State>

    init(count: Int) { state = Mutex(State(freeCount: count)) }

    /// Waits for a turn, not longer than `waitMax`. The caller gives it back.
    func take(waitMax: Duration) async throws(PostgresError) {
        if Task.isCancelled { throw .cancelled }
        if takeFree() { return }
        let isTaken = await withTaskGroup(of: Bool.self) { group in
            group.addTask { await self.wait() }
            group.addTask {
                // Ends early only when the turn has come or the caller was cancelled.
                try? await Task.sleep(for: waitMax)
                return false
            }
            // Whichever ends first, the turn may have come meanwhile and must not be lost.
            var isTaken = false
            for await result in group {
                isTaken = isTaken || result
                group.cancelAll()
            }
            return isTaken
        }
        guard !isTaken else { return }
        throw Task.isCancelled ? .cancelled : .busy
    }

    func giveBack() {
        let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst().turn }
            state.freeCount += 1
            return nil
        }
        next?.resume(returning: true)
    }

    private func takeFree() -> Bool {
        state.withLock { state in
            guard state.freeCount > 0 else { return false }
            state.freeCount -= 1
            return true
        }
    }

    private func wait() async -> Bool {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { turn in
                let answer = state.withLock { state -> Bool? in
                    // Cancelled later than this, it is found among those who wait.
                    if Task.isCancelled { return false }
                    if state.freeCount > 0 {
                        state.freeCount -= 1
                        return true
                    }
                    state.waiting.append((ticket, turn))
                    return nil
                }
                if let answer { turn.resume(returning: answer) }
            }
        } onCancel: {
            abandon(ticket)
        }
    }

    private func abandon(_ ticket: Int) {
        let turn = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard let index = state.waiting.firstIndex(where: { $0.ticket == ticket }) else {
                return nil
            }
            return state.waiting.remove(at: index).turn
        }
        turn?.resume(returning: false)
    }
}
