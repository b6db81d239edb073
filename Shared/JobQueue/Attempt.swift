internal import Logging
internal import Postgres
internal import ServiceLifecycle

/// How an attempt at a job ended.
enum Outcome: Sendable {
    case done
    case giveUp(reason: String)
    case failed(reason: String, after: Duration?)
    case snooze(Duration)
    /// We are stopping: somebody else shall go on with it.
    case handBack
    /// An operator wants it ended.
    case cancelled
    case lost

    init(_ error: any Error) {
        switch error {
        case JobFailure.giveUp(let code, let message): self = .giveUp(reason: "\(code): \(message)")
        case JobFailure.retry(let pause): self = .failed(reason: "to be retried", after: pause)
        case JobFailure.snooze(let pause): self = .snooze(pause)
        case JobFailure.leaseLost: self = .lost
        case PostgresError.unreachable, PostgresError.busy: self = .snooze(.seconds(5))
        default: self = .failed(reason: String("\(error)".prefix(500)), after: nil)
        }
    }
}

extension JobWorker {
    /// - Parameter heardCount: the cancellations that were heard of before the job was claimed.
    func work(on job: ClaimedJob, heardCount: Int) async {
        let logger = jobLogger(job)
        guard let handler = handlers[job.kind] else { return }
        let outcome: Outcome
        if job.isCancelled {
            outcome = .cancelled
        } else if job.failureCount >= failureCountMax {
            // Its last holder died of it once too often.
            outcome = .giveUp(reason: "abandoned: its workers stopped while working on it")
        } else {
            outcome = await attempt(job, handler, heardCount: heardCount)
        }
        do {
            do {
                try await record(outcome, of: job, handler, logger)
            } catch JobFailure.leaseLost {
                // Perhaps by its cancelling: then it is for us to end it, who are at it no longer.
                try await record(.cancelled, of: job.behindFence, handler, logger)
            }
        } catch JobFailure.leaseLost {
            logger.warning("lost a job's lease")
        } catch {
            // The lease runs out, and somebody does it again.
            logger.warning("cannot record a job's end", metadata: ["error": "\(error)"])
        }
    }

    private func jobLogger(_ job: ClaimedJob) -> Logger {
        var logger = logger
        logger[metadataKey: "job.id"] = "\(job.id)"
        logger[metadataKey: "job.kind"] = "\(job.kind)"
        return logger
    }

    /// Runs the handler while its lease is renewed, until it ends, loses the lease, or has to stop.
    private func attempt(
        _ job: ClaimedJob, _ handler: any JobHandler, heardCount: Int
    ) async -> Outcome {
        await withTaskGroup(of: Outcome?.self) { group in
            group.addTask {
                do {
                    try await handler.handle(job)
                    return .done
                } catch {
                    // Whatever it throws then, being cut short is no fault of the job's.
                    return Task.isCancelled ? .handBack : Outcome(error)
                }
            }
            group.addTask { await keepLease(of: job, heardCount: heardCount) }
            group.addTask { await waitForStop() }
            var cause: Outcome?
            var result: Outcome?
            for await outcome in group {
                guard let outcome else { continue }
                switch (outcome, cause) {
                case (.lost, nil), (.handBack, nil): cause = outcome
                default: result = result ?? outcome
                }
                group.cancelAll()
            }
            // A handler that was cut short says so in words of its own; the cause is ours.
            if case .done? = result { return .done }
            return cause ?? result ?? .handBack
        }
    }

    /// Renews three times in a lease, and when some job was cancelled. Ends when the lease is lost.
    private func keepLease(of job: ClaimedJob, heardCount: Int) async -> Outcome? {
        var ringCount = heardCount
        while true {
            await cancellations.wait(after: ringCount, atMost: job.lease.duration / 3)
            if Task.isCancelled { return nil }
            ringCount = cancellations.ringCount
            do {
                let isRenewed = try await claims.renew(job)
                if !isRenewed { return job.lease.isCompleted ? nil : .lost }
            } catch {
                if Task.isCancelled { return nil }
                // The database may come back before the lease ends.
                if job.leaseRemaining() <= .zero { return .lost }
            }
        }
    }

    private func waitForStop() async -> Outcome? {
        do {
            try await gracefulShutdown()
            try await Task.sleep(for: stopGrace)
            return .handBack
        } catch {
            // The attempt has ended.
            return nil
        }
    }

    private func record(
        _ outcome: Outcome, of job: ClaimedJob, _ handler: any JobHandler, _ logger: Logger
    ) async throws {
        switch outcome {
        case .done:
            if !job.lease.isCompleted { try await claims.complete(job) }
        case .lost:
            throw JobFailure.leaseLost
        case .cancelled:
            try await claims.cancel(job, handler: handler)
            logger.info("job was cancelled")
        case .handBack:
            try await claims.release(
                job, as: .handedBack, after: .zero, failureCount: job.failureCount, reason: nil)
            logger.info("handed a job back")
        case .snooze(let pause):
            try await claims.release(
                job, as: .snoozed, after: pause, failureCount: job.failureCount,
                reason: "waiting")
        case .giveUp(let reason):
            try await bury(job, job.failureCount, reason, handler, logger)
        case .failed(let reason, let pause):
            let failureCount = job.failureCount + 1
            guard failureCount < failureCountMax else {
                return try await bury(job, failureCount, reason, handler, logger)
            }
            let pause = pause ?? Self.backOff(failureCount)
            try await claims.release(
                job, as: .failed, after: pause, failureCount: failureCount, reason: reason)
            logger.warning(
                "job failed and will be retried",
                metadata: ["reason": "\(reason)", "job.failure_count": "\(failureCount)"])
        }
    }

    private func bury(
        _ job: ClaimedJob, _ failureCount: Int, _ reason: String, _ handler: any JobHandler,
        _ logger: Logger
    ) async throws {
        try await claims.bury(job, failureCount: failureCount, reason: reason, handler: handler)
        logger.error("job is dead", metadata: ["reason": "\(reason)"])
    }

    /// 2, 4, 8 … seconds up to five minutes, of which half is chance.
    static func backOff(_ failureCount: Int) -> Duration {
        let seconds = Double(min(300, 1 << min(failureCount, 9)))
        return .seconds(Double.random(in: seconds / 2...seconds))
    }
}
