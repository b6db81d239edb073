import Logging
import Postgres
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import JobQueue

@Suite("Job worker")
struct WorkerTests {
    struct Broken: Error {}
    let queue = JobQueue()

    @Test("a handler that returns completes its job")
    func completes() async throws {
        try await withDatabase { pool in
            try await enqueue(1, pool)
            let worker = worker(pool, ScriptedHandler { _ in })
            #expect(try await worker.workOne())
            #expect(try await worker.workOne() == false)
            #expect(try await states(pool) == ["done"])
        }
    }

    @Test("a handler may complete its job in the transaction of its effect")
    func completesInside() async throws {
        try await withDatabase { pool in
            try await enqueue(1, pool)
            let handler = ScriptedHandler { job in
                try await pool.transaction { try job.complete(in: $0) }
            }
            #expect(try await worker(pool, handler).workOne())
            #expect(try await states(pool) == ["done"])
        }
    }

    @Test("progress is the furthest that any attempt came, and nobody else's")
    func progress() async throws {
        try await withDatabase { pool in
            try await enqueue(1, pool)
            let stale = Mutex<ClaimedJob?>(nil)
            let handler = ScriptedHandler { job in
                stale.withLock { $0 = $0 ?? job }
                for part in [0.5, 0.25] {
                    try await pool.transaction { try job.report(part, in: $0) }
                }
                if job.attempt == 1 { throw Broken() }
                let first = try #require(stale.withLock { $0 })
                try await pool.transaction { try first.report(0.75, in: $0) }
            }
            for _ in 0..<2 {
                #expect(try await worker(pool, handler).workOne())
                try await makeDue(pool)
                #expect(
                    try await pool.read { try $0.run("SELECT progress FROM jobs") }.first?
                        .get("progress", as: Double.self) == 0.5)
            }
            #expect(try await states(pool) == ["done"])
        }
    }

    @Test("what fails is retried later and later, then is dead, with a reason and its hook")
    func dies() async throws {
        try await withDatabase { pool in
            try await enqueue(1, pool)
            let handler = ScriptedHandler { _ in throw Broken() }
            let worker = worker(pool, handler, failureCountMax: 3)
            for failureCount in 1...2 {
                #expect(try await worker.workOne())
                let row = try await job(pool)
                #expect(try row.get("state", as: String.self) == "ready")
                #expect(try row.get("failure_count", as: Int.self) == failureCount)
                let pause = try row.get("pause", as: Double.self)
                #expect(pause > 0.5 && pause <= Double(1 << failureCount))
                try await pool.read {
                    try $0.run("UPDATE jobs SET claimable_at = claimable_at + interval '1 hour'")
                }
                #expect(try await worker.workOne() == false)
                try await makeDue(pool)
            }
            #expect(try await worker.workOne())
            let row = try await job(pool)
            #expect(try row.get("state", as: String.self) == "dead")
            #expect(try row.get("reason", as: String.self) == "Broken()")
            #expect(handler.record.reasons.withLock { $0 } == ["Broken()"])
            #expect(try await diedCount(pool) == 1)
        }
    }

    @Test("one whose payload cannot be read is dead at once, though its hook reads it as little")
    func unreadable() async throws {
        struct Reader: JobHandler {
            static let kind = "k"
            struct Other: Decodable { let somethingElse: String }

            func handle(_ job: ClaimedJob) async throws { _ = try job.decode(Other.self) }

            func died(_ job: ClaimedJob, reason: String, in transaction: Transaction) throws {
                _ = try job.decode(Other.self)
            }
        }
        try await withDatabase { pool in
            try await enqueue(1, pool)
            #expect(try await worker(pool, Reader()).workOne())
            let row = try await job(pool)
            #expect(try row.get("state", as: String.self) == "dead")
            #expect(try row.get("reason", as: String.self).hasPrefix("undecodable: "))
        }
    }

    @Test("one that is given up is dead at once")
    func givesUp() async throws {
        try await withDatabase { pool in
            try await enqueue(1, pool)
            let handler = ScriptedHandler { _ in
                throw JobFailure.giveUp(code: "corrupt", message: "not a PDF")
            }
            #expect(try await worker(pool, handler).workOne())
            #expect(try await states(pool) == ["dead"])
            #expect(handler.record.reasons.withLock { $0 } == ["corrupt: not a PDF"])
        }
    }

    @Test("a snooze uses no attempt, and neither does the database being away")
    func snoozes() async throws {
        try await withDatabase { pool in
            for error in [
                JobFailure.snooze(.seconds(30)) as any Error, PostgresError.unreachable("gone"),
            ] {
                try await enqueue(1, pool)
                let worker = worker(pool, ScriptedHandler { _ in throw error }, failureCountMax: 1)
                #expect(try await worker.workOne())
                let row = try await job(pool)
                #expect(try row.get("state", as: String.self) == "ready")
                #expect(try row.get("failure_count", as: Int.self) == 0)
                #expect(try row.get("pause", as: Double.self) > 2)
                try await pool.read { try $0.run("DELETE FROM jobs") }
            }
        }
    }

    @Test("what kills its worker again and again is dead in the end")
    func buriesPoison() async throws {
        try await withDatabase { pool in
            try await enqueue(1, pool)
            for _ in 0..<2 {
                _ = try await claims(pool).claim()
                try await expireLeases(pool)
            }
            let handler = ScriptedHandler { _ in }
            #expect(try await worker(pool, handler, failureCountMax: 2).workOne())
            #expect(try await states(pool) == ["dead"])
            #expect(handler.record.subjects.withLock { $0 }.isEmpty)
        }
    }

    @Test("two workers never run one job at the same time, and leave none")
    func sharesWork() async throws {
        try await withDatabase(connectionCountMax: 12) { pool in
            try await pool.transaction { transaction in
                for number in 0..<80 {
                    try queue.enqueue("k", Payload(), subject: "\(number)", in: transaction)
                }
            }
            let done = Signal()
            let handler = ScriptedHandler { _ in await Task.yield() }
            let record = handler.record
            try await running([
                worker(pool, handler, concurrency: 3), worker(pool, handler, concurrency: 3),
            ]) {
                try await eventually {
                    try await states(pool).allSatisfy { $0 == "done" }
                }
                done.fire()
            }
            let subjects = record.subjects.withLock { $0 }
            #expect(subjects.count == 80 && Set(subjects).count == 80)
        }
    }

    @Test("an enqueued job wakes a worker that would poll much later")
    func wakes() async throws {
        try await withDatabase { pool in
            let isHandled = Signal()
            let handler = ScriptedHandler { job in
                if job.subject == "2" { isHandled.fire() }
            }
            let listener = PostgresListener(
                pool.configuration, channels: [JobQueue.channel], logger: .test)
            let worker = worker(pool, handler, listener: listener, pollInterval: .seconds(600))
            try await running([listener, worker]) {
                try await enqueue(1, pool)
                try await eventually { try await states(pool) == ["done"] }
                try await enqueue(2, pool)
                try await isHandled.wait()
            }
        }
    }

    @Test("renews the lease of a job that takes longer, and stops a handler that lost its own")
    func keepsLeases() async throws {
        try await withDatabase { pool in
            try await enqueue(1, pool)
            let mayEnd = Signal()
            let hasStarted = Signal()
            let wasStopped = Signal()
            let handler = ScriptedHandler { job in
                hasStarted.fire()
                do {
                    try await mayEnd.wait(atMost: .seconds(60))
                } catch {
                    wasStopped.fire()
                    throw error
                }
            }
            try await running([worker(pool, handler, leaseSeconds: 3)]) {
                try await hasStarted.wait()
                let first = try await leaseEnd(pool)
                // Renewed well past the first lease.
                try await eventually { try await leaseEnd(pool) > first + 3.5 }
                #expect(try await claims(pool).claim() == nil)
                try await pool.transaction { try queue.cancel(subject: "1", in: $0) }
                try await wasStopped.wait()
            }
            #expect(try await states(pool) == ["cancelled"])
        }
    }

    @Test("asked to stop, lets what runs end, and hands back what does not")
    func handsBack() async throws {
        try await withDatabase { pool in
            try await enqueue(1, pool)
            try await enqueue(2, pool)
            let hasStarted = [Signal(), Signal()]
            let isStopping = Signal()
            let never = Signal()
            let handler = ScriptedHandler { job in
                let isFirst = job.subject == "1"
                hasStarted[isFirst ? 0 : 1].fire()
                try await (isFirst ? isStopping : never).wait(atMost: .seconds(60))
            }
            let worker = worker(
                pool, handler, concurrency: 2, stopGrace: .seconds(5))
            try await running([worker]) {
                for signal in hasStarted { try await signal.wait() }
                try await enqueue(3, pool)
            } whileStopping: {
                isStopping.fire()
            }
            #expect(try await states(pool) == ["done", "ready", "ready"])
            let job = try #require(try await claims(pool).claim())
            #expect(job.subject == "2" && job.failureCount == 0 && job.attempt == 2)
        }
    }

    @Test("back-off doubles up to five minutes")
    func backsOff() {
        for (failureCount, ceiling) in [(1, 2.0), (2, 4), (5, 32), (9, 300), (60, 300)] {
            let seconds = JobWorker.backOff(failureCount) / .seconds(1)
            #expect(seconds >= ceiling / 2 && seconds <= ceiling)
        }
    }

    /// Runs the services while `body` runs, then stops them gracefully and waits for that.
    private func running(
        _ services: [any Service], _ body: @escaping @Sendable () async throws -> Void,
        whileStopping: @escaping @Sendable () async throws -> Void = {}
    ) async throws {
        let group = ServiceGroup(services: services, logger: .test)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do {
                try await within(.seconds(120), body)
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await whileStopping()
            try await tasks.waitForAll()
        }
    }

    private func worker(
        _ pool: PostgresPool, _ handler: any JobHandler, listener: PostgresListener? = nil,
        concurrency: Int = 1, leaseSeconds: Int = 20, failureCountMax: Int = 5,
        pollInterval: Duration = .milliseconds(50), stopGrace: Duration = .seconds(10)
    ) -> JobWorker {
        let unused = PostgresListener(pool.configuration, channels: [], logger: .test)
        return JobWorker(
            pool: pool, listener: listener ?? unused, handlers: [handler],
            concurrency: concurrency, leaseSeconds: leaseSeconds,
            failureCountMax: failureCountMax, pollInterval: pollInterval, stopGrace: stopGrace,
            workerName: "test", logger: .test)
    }

    private func enqueue(_ number: Int, _ pool: PostgresPool) async throws {
        try await pool.transaction {
            try queue.enqueue("k", Payload(number: number), subject: "\(number)", in: $0)
        }
    }

    private func job(_ pool: PostgresPool) async throws -> Row {
        let row = try await pool.read {
            try $0.run(
                """
                SELECT state, reason, failure_count,
                       extract(epoch FROM claimable_at)::float8
                           - (attempts -> -1 ->> 'ended_at')::float8 AS pause
                FROM jobs
                """
            ).first
        }
        return try #require(row)
    }

    private func leaseEnd(_ pool: PostgresPool) async throws -> Double {
        try await pool.read {
            try $0.run("SELECT extract(epoch FROM claimable_at)::float8 AS at FROM jobs").first?
                .get("at") ?? 0
        }
    }

    private func makeDue(_ pool: PostgresPool) async throws {
        try await pool.read { try $0.run("UPDATE jobs SET claimable_at = now()") }
    }

    private func diedCount(_ pool: PostgresPool) async throws -> Int {
        try await pool.read {
            try $0.run("SELECT 1 AS x FROM job_clocks WHERE name = 'died'").count
        }
    }
}
