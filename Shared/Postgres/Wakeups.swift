internal import ServiceLifecycle
internal import Synchronization

/// Wakes those who wait for a notification about some things. A wake-up is a hint: whoever waits
/// reads again, and reads again after a while without one too.
package final class Wakeups: Service {
    private struct Waiter {
        let subjects: Set<String>
        let bell: AsyncStream<Void>.Continuation
    }

    private struct State {
        var nextID = 0
        var waiters: [Int: Waiter] = [:]
    }

    private let listener: PostgresListener
    private let channel: String
    private let state = Mutex(State())

    package init(_ listener: PostgresListener, channel: String) {
        self.listener = listener
        self.channel = channel
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            for await notification in self.listener.notifications(on: self.channel) {
                self.wake(notification.payload)
            }
        }
    }

    /// Asks `isReady` now, at each wake-up and at each interval, until it says so. False when the
    /// time was not enough.
    package func wait(
        for subjects: Set<String>, atMost limit: Duration, interval: Duration = .seconds(1),
        until isReady: () async throws -> Bool
    ) async throws -> Bool {
        // One ring is as good as many: what counts is read again.
        let (rings, bell) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let id = register(Waiter(subjects: subjects, bell: bell))
        defer { state.withLock { $0.waiters[id] = nil } }
        let end = ContinuousClock.now + limit
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while true {
                    try await Task.sleep(for: interval)
                    bell.yield()
                }
            }
            defer { group.cancelAll() }
            if try await isReady() { return true }
            for await _ in rings {
                if try await isReady() { return true }
                if ContinuousClock.now >= end { return false }
            }
            throw CancellationError()
        }
    }

    /// How many have waited or wait.
    package var waitCount: Int { state.withLock { $0.nextID } }

    private func register(_ waiter: Waiter) -> Int {
        state.withLock { state in
            state.nextID += 1
            state.waiters[state.nextID] = waiter
            return state.nextID
        }
    }

    /// What a payload names, separated by commas. An empty one says that something may have been
    /// missed: everybody looks again.
    private func wake(_ payload: String) {
        let named = payload.split(separator: ",").map(String.init)
        let bells = state.withLock { state in
            state.waiters.values
                .filter { named.isEmpty || !$0.subjects.isDisjoint(with: named) }.map(\.bell)
        }
        for bell in bells { bell.yield() }
    }
}
