import Logging
import Postgres
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import JobQueue

@Suite("Cancelling a job")
struct CancellingTests {
    let queue = JobQueue()

    @Test("has one that waits ended by its handler, before everything else")
    func waiting() async throws {
        try await withDatabase { pool in
            let urgent = try await enqueue(pool, priority: .erase)
            let id = try await enqueue(pool, priority: .bulk)
            try await pool.read {
                try $0.run("UPDATE jobs SET claimable_at = claimable_at + '1 h'")
            }
            #expect(try await cancel(id, pool))
            #expect(try await cancel(id, pool) == false)
            try await pool.read {
                try $0.run("UPDATE jobs SET claimable_at = now() WHERE id = \(urgent.rawValue)")
            }
            let handler = ScriptedHandler { _ in }
            #expect(try await worker(pool, handler).workOne())
            #expect(try await states(pool) == ["ready", "cancelled"])
            #expect(handler.record.subjects.withLock { $0 }.isEmpty)
            #expect(handler.record.reasons.withLock { $0 } == [JobQueue.cancelledReason])
            #expect(try await cancel(id, pool) == false)
        }
    }

    @Test("stops whoever holds one at once, and has it ended then")
    func running() async throws {
        try await withDatabase { pool in
            let id = try await enqueue(pool)
            let (hasStarted, wasStopped) = (Signal(), Signal())
            let handler = ScriptedHandler { _ in
                hasStarted.fire()
                do {
                    try await Signal().wait(atMost: .seconds(60))
                } catch {
                    wasStopped.fire()
                    throw error
                }
            }
            let listener = PostgresListener(
                pool.configuration, channels: [JobQueue.channel], logger: .test)
            // So long a lease that nobody renews it in time to notice.
            let worker = worker(pool, handler, listener: listener, leaseSeconds: 600)
            let group = ServiceGroup(services: [listener, worker], logger: .test)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                try await hasStarted.wait()
                #expect(try await cancel(id, pool))
                try await wasStopped.wait()
                try await eventually { try await states(pool) == ["cancelled"] }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
            #expect(handler.record.reasons.withLock { $0 } == [JobQueue.cancelledReason])
            #expect(try await outcomes(pool) == ["cancelled"])
        }
    }

    @Test("is heard of by who has just claimed it")
    func justClaimed() async throws {
        try await withDatabase { pool in
            let id = try await enqueue(pool)
            let wasStopped = Signal()
            let handler = ScriptedHandler { _ in
                do {
                    try await Signal().wait()
                } catch {
                    if Task.isCancelled { wasStopped.fire() }
                    throw error
                }
            }
            let worker = worker(pool, handler, leaseSeconds: 600)
            let heardCount = worker.cancellations.ringCount
            let job = try #require(try await claims(pool).claim())
            #expect(try await cancel(id, pool))
            worker.cancellations.ring()
            await worker.work(on: job, heardCount: heardCount)
            #expect(wasStopped.hasFired)
            #expect(try await states(pool) == ["cancelled"])
        }
    }

    @Test("fences its holder from the commit on, and leaves the lease for an erasure to wait for")
    func fences() async throws {
        try await withDatabase { pool in
            let id = try await enqueue(pool)
            let job = try #require(try await claims(pool).claim())
            #expect(try await cancel(id, pool))
            await #expect(throws: JobFailure.leaseLost) {
                try await pool.transaction { try job.complete(in: $0) }
            }
            #expect(try await claims(pool).renew(job) == false)
            #expect(try await states(pool) == ["running"])
            #expect(try await claims(pool).claim() == nil)
        }
    }

    @Test("is carried out by another worker when its holder is gone")
    func holderGone() async throws {
        try await withDatabase { pool in
            let id = try await enqueue(pool)
            _ = try #require(try await claims(pool).claim())
            #expect(try await cancel(id, pool))
            try await expireLeases(pool)
            let handler = ScriptedHandler { _ in }
            #expect(try await worker(pool, handler).workOne())
            #expect(try await states(pool) == ["cancelled"])
            #expect(handler.record.subjects.withLock { $0 }.isEmpty)
        }
    }

    @Test("is nothing to a holder who lost the job to somebody else")
    func lostOtherwise() async throws {
        try await withDatabase { pool in
            try await enqueue(pool)
            let old = try #require(try await claims(pool).claim())
            try await expireLeases(pool)
            _ = try #require(try await claims(pool).claim())
            let handler = ScriptedHandler { _ in }
            await #expect(throws: JobFailure.leaseLost) {
                try await claims(pool).cancel(old.behindFence, handler: handler)
            }
            #expect(try await states(pool) == ["running"])
            #expect(handler.record.reasons.withLock { $0 }.isEmpty)
        }
    }

    @Test("and finishing at the same moment: one of them is, and both know which")
    func race() async throws {
        try await withDatabase(connectionCountMax: 8) { pool in
            for round in 0..<40 {
                let id = try await enqueue(pool)
                let job = try #require(try await claims(pool).claim())
                async let isCancelled = cancel(id, pool)
                async let isDone = finish(job, pool)
                let (cancelled, done) = try await (isCancelled, isDone)
                #expect(cancelled != done, "round \(round)")
                let left = try await states(pool).last
                #expect(left == (done ? "done" : "running"))
                try await pool.read { try $0.run("DELETE FROM jobs") }
            }
        }
    }

    @Test("leaves what is over as it is")
    func over() async throws {
        try await withDatabase { pool in
            for state in ["done", "dead", "cancelled"] {
                let id = try await enqueue(pool)
                try await pool.read {
                    try $0.run("UPDATE jobs SET state = \(state) WHERE id = \(id.rawValue)")
                }
                #expect(try await cancel(id, pool) == false)
            }
            #expect(try await states(pool) == ["done", "dead", "cancelled"])
        }
    }

    private func finish(_ job: ClaimedJob, _ pool: PostgresPool) async throws -> Bool {
        do {
            try await pool.transaction { try job.complete(in: $0) }
            return true
        } catch JobFailure.leaseLost {
            return false
        }
    }

    @discardableResult
    private func enqueue(
        _ pool: PostgresPool, priority: JobPriority = .upload
    ) async throws -> JobID {
        try await pool.transaction {
            try queue.enqueue("k", Payload(), subject: "s", priority: priority, in: $0)
        }
    }

    private func cancel(_ id: JobID, _ pool: PostgresPool) async throws -> Bool {
        try await pool.transaction { try queue.requestCancel(of: id, in: $0) }
    }
}

@Suite("Attempts at a job")
struct AttemptRecordTests {
    struct Broken: Error {}

    @Test("are written down with how they ended; snoozes in a row are one")
    func written() async throws {
        try await withDatabase { pool in
            try await pool.transaction {
                try JobQueue().enqueue("k", Payload(), subject: "s", in: $0)
            }
            let handler = ScriptedHandler { job in
                switch job.attempt {
                case 1, 4: throw Broken()
                case 2, 3: throw JobFailure.snooze(.zero)
                default: break
                }
            }
            let worker = worker(pool, handler)
            for _ in 1...4 {
                #expect(try await worker.workOne())
                try await makeDue(pool)
            }
            _ = try #require(try await claims(pool).claim())
            try await expireLeases(pool)
            #expect(try await worker.workOne())
            #expect(try await states(pool) == ["done"])
            #expect(try await outcomes(pool) == ["failed", "snoozed", "failed", "lost"])
            let row = try await pool.read {
                try $0.run(
                    """
                    SELECT attempts -> 0 ->> 'reason' AS reason,
                           (attempts -> 1 ->> 'count')::int AS snoozes,
                           (attempts -> 1 ->> 'attempt')::int AS last_snooze,
                           attempts -> 3 ->> 'worker' AS worker,
                           bool_and((one ->> 'started_at')::float8
                                    <= (one ->> 'ended_at')::float8) AS is_ordered,
                           first_started_at < started_at AS went_on
                    FROM jobs CROSS JOIN jsonb_array_elements(attempts) AS one
                    GROUP BY jobs.id
                    """
                ).first
            }
            #expect(try row?.get("reason", as: String.self) == "Broken()")
            #expect(try row?.get("snoozes", as: Int.self) == 2)
            #expect(try row?.get("last_snooze", as: Int.self) == 3)
            #expect(try row?.get("worker", as: String.self) == "test")
            #expect(try row?.get("is_ordered", as: Bool.self) == true)
            #expect(try row?.get("went_on", as: Bool.self) == true)
        }
    }

    @Test("are the last twenty")
    func bounded() async throws {
        try await withDatabase { pool in
            try await pool.transaction {
                try JobQueue().enqueue("k", Payload(), subject: "s", in: $0)
            }
            let handler = ScriptedHandler { job in
                throw job.attempt.isMultiple(of: 2)
                    ? JobFailure.snooze(.zero) as any Error : Broken()
            }
            let worker = worker(pool, handler, failureCountMax: 100)
            for _ in 1...25 {
                #expect(try await worker.workOne())
                try await makeDue(pool)
            }
            let outcomes = try await outcomes(pool)
            #expect(outcomes.count == 20)
            #expect(outcomes.last == "failed")
        }
    }
}

private func worker(
    _ pool: PostgresPool, _ handler: ScriptedHandler, listener: PostgresListener? = nil,
    leaseSeconds: Int = 20, failureCountMax: Int = 5
) -> JobWorker {
    let unused = PostgresListener(pool.configuration, channels: [], logger: .test)
    return JobWorker(
        pool: pool, listener: listener ?? unused, handlers: [handler], concurrency: 1,
        leaseSeconds: leaseSeconds, failureCountMax: failureCountMax, workerName: "test",
        logger: .test)
}

private func makeDue(_ pool: PostgresPool) async throws {
    try await pool.read { try $0.run("UPDATE jobs SET claimable_at = now()") }
}

/// How the attempts ended that did not complete their job.
private func outcomes(_ pool: PostgresPool) async throws -> [String] {
    try await pool.read {
        try $0.run(
            """
            SELECT one ->> 'outcome' AS outcome
            FROM jobs CROSS JOIN jsonb_array_elements(attempts) WITH ORDINALITY AS a(one, place)
            ORDER BY jobs.id, place
            """
        ).map { try $0.get("outcome", as: String.self) }
    }
}
