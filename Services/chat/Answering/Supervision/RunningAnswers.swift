import Domain
import Synchronization

/// The answers that this replica is making, and the places for more.
final class RunningAnswers: Sendable {
    private struct State {
        var active: [Message.ID: RunningAnswer] = [:]
        var reservedCount = 0
        var isClosed = false
    }

    private let countMax: Int
    private let state = Mutex(State())

    init(countMax: Int) { self.countMax = countMax }

    /// False when this replica takes no more. Who got a place uses it or gives it back.
    func reserve() -> Bool {
        state.withLock { state in
            let isFull = state.active.count + state.reservedCount >= countMax
            if state.isClosed || isFull { return false }
            state.reservedCount += 1
            return true
        }
    }

    func giveBack() { state.withLock { $0.reservedCount -= 1 } }

    /// In the place that was reserved.
    func insert(_ answer: RunningAnswer) {
        state.withLock { state in
            state.reservedCount -= 1
            state.active[answer.id] = answer
        }
    }

    func remove(_ id: Message.ID) { state.withLock { $0.active[id] = nil } }

    func find(_ id: Message.ID) -> RunningAnswer? { state.withLock { $0.active[id] } }

    var all: [RunningAnswer] { state.withLock { Array($0.active.values) } }

    var isBusy: Bool { state.withLock { !$0.active.isEmpty || $0.reservedCount > 0 } }

    /// From now on nothing is taken.
    func close() { state.withLock { $0.isClosed = true } }
}
