package import Logging
package import Postgres
import ServiceLifecycle

/// Claims jobs and hands each to the handler for its kind, a fixed number at a time.
package struct JobWorker: Service {
    private let table: JobTable
    private let listener: PostgresListener
    private let handlers: [String: any JobHandler]
    private let concurrency: Int
    private let failureCountMax: Int
    private let pollInterval: Duration
    private let stopSeconds: Int
    private let logger: Logger

    /// - Parameters:
    ///   - leaseSeconds: a worker that dies is replaced after at most this time.
    ///   - stopSeconds: what running jobs get to end by themselves when the service stops.
    package init(
        pool: PostgresPool, listener: PostgresListener, handlers: [any JobHandler],
        concurrency: Int, leaseSeconds: Int = 20, failureCountMax: Int = 5,
        pollInterval: Duration = .seconds(2), workerName: String, stopSeconds: Int = 5,
        logger: Logger
    ) {
        table = JobTable(pool: pool, leaseSeconds: leaseSeconds, workerName: workerName)
        self.listener = listener
        self.handlers = Dictionary(
            handlers.map { (type(of: $0).kind, $0) }, uniquingKeysWith: { first, _ in first })
        self.concurrency = concurrency
        self.failureCountMax = failureCountMax
        self.pollInterval = pollInterval
        self.stopSeconds = stopSeconds
        self.logger = logger
    }

    package func run() async throws {
        let gates = Gates()
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<concurrency {
                group.addTask { await claimInTurns(index, gates) }
            }
            group.addTask { await pruneEveryHour(gates) }
            // Cancelled or stopped gracefully: both mean, take no further job.
            try? await gracefulShutdown()
            gates.stopping.open()
            await withTaskGroup(of: Void.self) { timer in
                // Cancellation only makes the end come sooner.
                timer.addTask { try? await Task.sleep(for: .seconds(stopSeconds)) }
            }
            // Handlers that still run are cancelled, and their leases handed back.
            gates.ending.open()
        }
    }

    /// Works off what there is; false when the queue held nothing for us.
    package func workOne() async throws -> Bool {
        try await workOne(oldestFirst: false, Gates())
    }

    private func claimInTurns(_ index: Int, _ gates: Gates) async {
        let news = listener.notifications(on: JobQueue.channel)
        var turn = index
        while !gates.stopping.isOpen, !Task.isCancelled {
            turn += 1
            do {
                if turn % 4 == 0, try await workOne(oldestFirst: true, gates) { continue }
                if try await workOne(oldestFirst: false, gates) { continue }
            } catch {
                logger.warning("jobs cannot be claimed", metadata: ["reason": "\(error)"])
            }
            await wait(for: news, gates)
        }
    }

    /// Until something was enqueued, the poll interval is over, or we stop.
    private func wait(for news: AsyncStream<Notification>, _ gates: Gates) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                var iterator = news.makeAsyncIterator()
                _ = await iterator.next()
            }
            // Ended early by cancellation, which is what we want.
            group.addTask { try? await Task.sleep(for: pollInterval) }
            group.addTask { await gates.stopping.wait() }
            await group.next()
            group.cancelAll()
        }
    }

    private func pruneEveryHour(_ gates: Gates) async {
        while !gates.stopping.isOpen, !Task.isCancelled {
            do {
                try await table.prune()
            } catch {
                logger.warning("old jobs were not pruned", metadata: ["reason": "\(error)"])
            }
            await withTaskGroup(of: Void.self) { group in
                // Ended early by cancellation, which is what we want.
                group.addTask { try? await Task.sleep(for: .seconds(3600)) }
                group.addTask { await gates.stopping.wait() }
                await group.next()
                group.cancelAll()
            }
        }
    }

    private func workOne(oldestFirst: Bool, _ gates: Gates) async throws -> Bool {
        guard
            let job = try await table.claim(kinds: Array(handlers.keys), oldestFirst: oldestFirst),
            let handler = handlers[job.kind]
        else { return false }
        var logger = logger
        logger[metadataKey: "job.id"] = "\(job.id)"
        logger[metadataKey: "job.kind"] = "\(job.kind)"
        let outcome = await handle(job, handler, gates)
        do {
            try await settle(job, outcome, handler, logger)
        } catch {
            // Its lease ends by itself, and somebody takes it over.
            logger.warning("job not settled", metadata: ["reason": "\(error)"])
        }
        return true
    }

    /// Nil when it went well.
    private func handle(
        _ job: ClaimedJob, _ handler: any JobHandler, _ gates: Gates
    ) async -> (any Error)? {
        await withTaskGroup(of: Ended.self) { group in
            group.addTask {
                do {
                    try await handler.handle(job)
                    return Ended(error: nil)
                } catch {
                    return Ended(error: error)
                }
            }
            group.addTask { await keepLease(of: job) }
            group.addTask {
                await gates.ending.wait()
                return Ended(error: HandedBack())
            }
            let first = await group.next()
            group.cancelAll()
            return first?.error
        }
    }

    private struct Ended: Sendable { let error: (any Error)? }

    /// We stop before the handler has ended.
    private struct HandedBack: Error {}

    /// Renews the lease in time; ends only when it is lost.
    private func keepLease(of job: ClaimedJob) async -> Ended {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: .seconds(table.leaseSeconds) / 4)
                guard try await table.renew(job) else { break }
            } catch {
                if Task.isCancelled { break }
                // The database does not answer: go on for as long as the lease surely holds.
                if job.leaseRemaining() == .zero { break }
            }
        }
        return Ended(error: JobFailure.leaseLost)
    }

    private func settle(
        _ job: ClaimedJob, _ error: (any Error)?, _ handler: any JobHandler, _ logger: Logger
    ) async throws {
        guard let error else { return try await table.complete(job) }
        switch error {
        case JobFailure.leaseLost:
            logger.warning("job's lease was lost")
        case JobFailure.snooze(let pause):
            try await table.release(job, after: pause, failed: false, reason: "snoozed")
        case JobFailure.giveUp(let code, let message):
            logger.warning("job given up", metadata: ["reason": "\(code)"])
            try await table.bury(job, reason: "\(code): \(message)", handler: handler)
        case is HandedBack:
            try await table.release(job, after: .zero, failed: false, reason: "handed back")
        default:
            try await tryAgain(job, error, handler, logger)
        }
    }

    private func tryAgain(
        _ job: ClaimedJob, _ error: any Error, _ handler: any JobHandler, _ logger: Logger
    ) async throws {
        let reason = String("\(error)".prefix(500))
        logger.warning("job failed", metadata: ["reason": "\(reason)"])
        if job.failureCount + 1 >= failureCountMax {
            return try await table.bury(job, reason: reason, handler: handler)
        }
        let pause: Duration
        if case JobFailure.retry(let after) = error {
            pause = after
        } else {
            // Full jitter over a doubling window, at most five minutes.
            let window = min(300, pow2(job.failureCount) * 2)
            pause = .seconds(Double.random(in: 0.5...Double(window)))
        }
        try await table.release(job, after: pause, failed: true, reason: reason)
    }

    private func pow2(_ exponent: Int) -> Int { 1 << min(exponent, 10) }
}
