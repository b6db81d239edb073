internal import Crypto
package import Logging
internal import ServiceLifecycle
internal import Synchronization

/// The issuer's keys, fetched ahead of need and kept when the issuer is away.
package final class IssuerKeys: Service, Sendable {
    /// How often keys are asked for.
    package struct Schedule: Sendable {
        /// A revoked key lives on for this long at most while the issuer answers.
        package var refreshInterval: Duration = .seconds(300)
        /// Between two fetches that unknown keys caused: forged names must not hammer the issuer.
        package var unknownKeyInterval: Duration = .seconds(10)
        /// First pause after a failure; it doubles up to a minute.
        package var retryInterval: Duration = .seconds(1)

        package init() {}
    }

    struct Current: Sendable {
        let keySet: KeySet
        /// Rises when the key document changes.
        let version: Int
        let digest: SHA256.Digest
    }

    private struct State {
        var current: Current?
        var isFetching = false
        var waiting: [CheckedContinuation<Void, Never>] = []
        var lastStart: ContinuousClock.Instant?
    }

    private let source: KeySource
    private let algorithms: [String]
    private let schedule: Schedule
    private let logger: Logger
    private let state = Mutex(State())

    package init(
        source: KeySource, algorithms: [String], schedule: Schedule = Schedule(), logger: Logger
    ) {
        self.source = source
        self.algorithms = algorithms
        self.schedule = schedule
        self.logger = logger
    }

    var current: Current? { state.withLock { $0.current } }

    /// Fetches at once, then on schedule, until the service shuts down.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var retryPause = self.schedule.retryInterval
            while !Task.isCancelled {
                let pause: Duration
                if await self.refresh() {
                    pause = self.schedule.refreshInterval
                    retryPause = self.schedule.retryInterval
                } else {
                    pause = retryPause
                    retryPause = min(retryPause * 2, .seconds(60))
                }
                // Only cancellation ends the sleep early, and the loop asks for that.
                try? await Task.sleep(for: pause)
            }
        }
    }

    /// A fetch for a key nobody knows yet, unless one was made a moment ago.
    func refreshForUnknownKey() async {
        let isAllowed = state.withLock { state in
            if state.isFetching { return true }
            guard let last = state.lastStart else { return true }
            let pause =
                state.current == nil
                ? schedule.retryInterval : schedule.unknownKeyInterval
            return ContinuousClock.now - last >= pause
        }
        if isAllowed { _ = await refresh() }
    }

    /// One fetch at a time: whoever comes meanwhile waits for that one. True if it brought keys.
    @discardableResult
    package func refresh() async -> Bool {
        let isLeader = state.withLock { state in
            guard !state.isFetching else { return false }
            state.isFetching = true
            state.lastStart = .now
            return true
        }
        guard isLeader else {
            await waitForFetch()
            return current != nil
        }
        let isFetched = await fetch()
        let waiting = state.withLock { state in
            state.isFetching = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for one in waiting { one.resume() }
        return isFetched
    }

    private func waitForFetch() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.isFetching { state.waiting.append(continuation) }
                return !state.isFetching
            }
            if isOver { continuation.resume() }
        }
    }

    private func fetch() async -> Bool {
        do {
            let json = try await source.fetch()
            let digest = SHA256.hash(data: json)
            if current?.digest == digest { return true }
            let keySet = try await KeySet(json: json, algorithms: algorithms)
            state.withLock { state in
                let version = (state.current?.version ?? 0) + 1
                state.current = Current(keySet: keySet, version: version, digest: digest)
            }
            logger.info("issuer keys loaded")
            return true
        } catch {
            logger.warning(
                "issuer keys not fetched, the last good ones stay",
                metadata: ["error": "\(error)", "keys.present": "\(current != nil)"])
            return false
        }
    }
}
