package import Logging
package import Postgres
internal import ServiceLifecycle

/// Claims jobs and hands each to the handler for its kind, a fixed number at a time.
package struct JobWorker: Service {
    let claims: Claims
    let listener: PostgresListener
    let handlers: [String: any JobHandler]
    let concurrency: Int
    let failureCountMax: Int
    let pollInterval: Duration
    let stopGrace: Duration
    let logger: Logger
    private let bell = Bell()
    /// Rings when a job that somebody holds was cancelled.
    let cancellations = Bell()
    private let presence: WorkerPresence

    /// - Parameters:
    ///   - leaseSeconds: how long a silent worker keeps its jobs from the others.
    ///   - failureCountMax: the failure that makes a job dead.
    ///   - pollInterval: how long a missed notification can delay a job.
    ///   - stopGrace: how long a running job may go on once we are asked to stop.
    package init(
        pool: PostgresPool, listener: PostgresListener, handlers: [any JobHandler],
        concurrency: Int, leaseSeconds: Int = 20, failureCountMax: Int = 5,
        pollInterval: Duration = .seconds(5), stopGrace: Duration = .seconds(10),
        workerName: String, logger: Logger
    ) {
        self.handlers = Dictionary(
            handlers.map { (type(of: $0).kind, $0) }, uniquingKeysWith: { first, _ in first })
        claims = Claims(
            pool: pool, kinds: self.handlers.keys.sorted(), workerName: workerName,
            leaseSeconds: leaseSeconds)
        presence = WorkerPresence(pool: pool, name: workerName, kinds: claims.kinds)
        self.listener = listener
        self.concurrency = concurrency
        self.failureCountMax = failureCountMax
        self.pollInterval = pollInterval
        self.stopGrace = stopGrace
        self.logger = logger
    }

    package func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<concurrency { group.addTask { await workUntilStopped() } }
            // These two have no end of their own.
            group.addTask { await cancelWhenGracefulShutdown { await ringOnNotifications() } }
            group.addTask { await cancelWhenGracefulShutdown { await pruneRegularly() } }
            group.addTask { await cancelWhenGracefulShutdown { await announceRegularly() } }
        }
    }

    /// Claims one job and works on it. False when none was due.
    package func workOne() async throws -> Bool {
        // Before the claim: one that is cancelled right after it is not missed.
        let heardCount = cancellations.ringCount
        guard let job = try await claims.claim() else { return false }
        await work(on: job, heardCount: heardCount)
        return true
    }

    private func workUntilStopped() async {
        var claimCount = 0
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            let ringCount = bell.ringCount
            // Before the claim, as in `workOne`.
            let heardCount = cancellations.ringCount
            do {
                claimCount += 1
                if let job = try await claims.claim(agedFirst: claimCount.isMultiple(of: 4)) {
                    await work(on: job, heardCount: heardCount)
                    continue
                }
                // At least a little, should the clocks disagree.
                let due = try await claims.nextDue() ?? pollInterval
                await rest(min(pollInterval, max(due, .milliseconds(20))), after: ringCount)
            } catch {
                if Task.isCancelled { return }
                logger.warning("cannot claim jobs", metadata: ["error": "\(error)"])
                await rest(.seconds(Double.random(in: 0.5...2)), after: bell.ringCount)
            }
        }
    }

    private func rest(_ duration: Duration, after ringCount: Int) async {
        await cancelWhenGracefulShutdown { await bell.wait(after: ringCount, atMost: duration) }
    }

    private func ringOnNotifications() async {
        for await notification in listener.notifications(on: JobQueue.channel) {
            // Empty means that something may have been missed.
            let isMissing = notification.payload.isEmpty
            if isMissing || notification.payload == JobQueue.cancellation { cancellations.ring() }
            if isMissing || handlers[notification.payload] != nil { bell.ring() }
        }
    }

    private func announceRegularly() async {
        while !Task.isCancelled {
            do {
                try await presence.announce()
            } catch {
                logger.warning("cannot tell that we work", metadata: ["error": "\(error)"])
            }
            // Cancelled: the loop's condition ends it.
            try? await Task.sleep(for: WorkerPresence.interval)
        }
    }

    private func pruneRegularly() async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: .seconds(Double.random(in: 300...900)))
                try await claims.pool.read(deadline: .seconds(60)) { try JobQueue().prune($0) }
                try await presence.prune()
            } catch is CancellationError {
                return
            } catch {
                logger.warning("cannot prune finished jobs", metadata: ["error": "\(error)"])
            }
        }
    }
}
