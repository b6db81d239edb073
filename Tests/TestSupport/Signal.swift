internal import Synchronization

/// How long tests wait for what comes at once on a machine that has nothing else to do. Only a test that
/// fails waits so long.
private let patience = Duration.seconds(60)

/// Something that happens once, and that tests wait for instead of sleeping.
package final class Signal: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    private let fired = Mutex(false)

    package init() {
        (stream, continuation) = AsyncStream.makeStream()
    }

    package var hasFired: Bool { fired.withLock { $0 } }

    package func fire() {
        fired.withLock { $0 = true }
        continuation.finish()
    }

    /// By any number of tasks. Throws when it does not happen in time.
    package func wait(atMost limit: Duration = patience) async throws {
        try await within(limit) {
            for await _ in self.stream {}
            // The stream also ends when the task is cancelled.
            try Task.checkCancellation()
        }
    }
}

package struct TookTooLong: Error {}

/// Runs `body` and throws when it takes longer than the limit. A limit, not a pause.
package func within<Value: Sendable>(
    _ limit: Duration, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next(), let value = first else { throw TookTooLong() }
        return value
    }
}

/// Asks again and again until the answer is yes, for what gives no signal of its own.
package func eventually(
    within limit: Duration = patience, _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    var pause = Duration.milliseconds(10)
    while try await !condition() {
        guard .now < end else { throw TookTooLong() }
        try await Task.sleep(for: pause)
        pause = min(pause * 1.5, .milliseconds(100))
    }
}
