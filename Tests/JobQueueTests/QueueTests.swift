import Logging
import Postgres
import TestSupport
import Testing

@testable import JobQueue

struct Payload: Codable, Sendable, Equatable { var number = 0 }

@Suite("Job queue")
struct QueueTests {
    let queue = JobQueue()

    @Test("a job enqueued in a transaction that is rolled back was never there")
    func enqueuesWithTheTransaction() async throws {
        struct Thrown: Error {}
        try await withDatabase { pool in
            await #expect(throws: Thrown.self) {
                try await pool.transaction { transaction in
                    try queue.enqueue("k", Payload(), subject: "s", in: transaction)
                    throw Thrown()
                }
            }
            #expect(try await claims(pool).claim() == nil)
            try await enqueue("k", subject: "s", number: 7, pool)
            let job = try #require(try await claims(pool).claim())
            #expect(try job.decode(Payload.self) == Payload(number: 7))
            #expect(job.subject == "s" && job.attempt == 1 && job.failureCount == 0)
        }
    }

    @Test("a kind that a worker does not know is left for one that does")
    func leavesUnknownKinds() async throws {
        try await withDatabase { pool in
            try await enqueue("new", subject: "s", pool)
            #expect(try await claims(pool).claim() == nil)
            #expect(try await claims(pool, kinds: ["new"]).claim() != nil)
        }
    }

    @Test("many claiming at once never get the same job")
    func claimsOnce() async throws {
        try await withDatabase { pool in
            try await pool.transaction { transaction in
                for number in 0..<60 {
                    try queue.enqueue(
                        "k", Payload(), subject: "\(number)", owner: "\(number % 3)",
                        in: transaction)
                }
            }
            let subjects = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        var subjects: [String] = []
                        while let job = try await claims(pool).claim() {
                            subjects.append(job.subject)
                        }
                        return subjects
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(subjects.count == 60)
            #expect(Set(subjects).count == 60)
        }
    }

    @Test("goes by priority, and within one the owners take turns")
    func order() async throws {
        try await withDatabase { pool in
            for number in 0..<3 { try await enqueue("k", subject: "a\(number)", owner: "a", pool) }
            for number in 0..<2 { try await enqueue("k", subject: "b\(number)", owner: "b", pool) }
            try await enqueue("k", subject: "bulk", owner: "c", priority: .bulk, pool)
            try await enqueue("k", subject: "erase", owner: "a", priority: .erase, pool)
            #expect(
                try await claimAll(pool) == ["erase", "a0", "b0", "a1", "b1", "a2", "bulk"])
        }
    }

    @Test("an owner that comes late begins at the queue's time, neither before nor far behind")
    func latecomers() async throws {
        try await withDatabase { pool in
            for number in 0..<6 { try await enqueue("k", subject: "a\(number)", owner: "a", pool) }
            var order: [String] = []
            for _ in 0..<3 { order.append(try #require(try await claims(pool).claim()).subject) }
            for number in 0..<2 { try await enqueue("k", subject: "b\(number)", owner: "b", pool) }
            order += try await claimAll(pool)
            #expect(order == ["a0", "a1", "a2", "a3", "b0", "a4", "b1", "a5"])
        }
    }

    @Test("what waited very long goes first in some claims, whatever its priority")
    func ages() async throws {
        try await withDatabase { pool in
            try await enqueue("k", subject: "old", priority: .bulk, pool)
            try await enqueue("k", subject: "new", pool)
            try await pool.read {
                try $0.run(
                    """
                    UPDATE jobs SET claimable_at = now() - interval '10 minutes'
                    WHERE subject = 'old'
                    """)
            }
            #expect(try await claims(pool).claim(agedFirst: true)?.subject == "old")
            #expect(try await claims(pool).claim(agedFirst: true)?.subject == "new")
        }
    }

    @Test("a lease that ran out is taken over, and its old holder can finish nothing")
    func fences() async throws {
        try await withDatabase { pool in
            try await enqueue("k", subject: "s", pool)
            let old = try #require(try await claims(pool).claim())
            #expect(try await claims(pool).claim() == nil)
            try await expireLeases(pool)
            let new = try #require(try await claims(pool).claim())
            #expect(new.id == old.id && new.attempt == 2 && new.failureCount == 1)
            await #expect(throws: JobFailure.leaseLost) {
                try await pool.transaction { transaction in
                    try transaction.run("INSERT INTO job_clocks VALUES ('effect', 1)")
                    try old.complete(in: transaction)
                }
            }
            await #expect(throws: JobFailure.leaseLost) {
                try await pool.transaction { try old.requireLease(in: $0) }
            }
            #expect(try await claims(pool).renew(old) == false)
            await #expect(throws: JobFailure.leaseLost) {
                try await claims(pool).release(
                    old, as: .failed, after: .zero, failureCount: 0, reason: nil)
            }
            try await pool.transaction { transaction in
                try new.requireLease(in: transaction)
                try new.complete(in: transaction)
            }
            #expect(try await states(pool) == ["done"])
            let effects = try await pool.read {
                try $0.run("SELECT 1 AS one FROM job_clocks WHERE name = 'effect'").count
            }
            #expect(effects == 0)
        }
    }

    @Test("a renewed lease is nobody else's")
    func renews() async throws {
        try await withDatabase { pool in
            try await enqueue("k", subject: "s", pool)
            let job = try #require(try await claims(pool).claim())
            try await expireLeases(pool)
            #expect(try await claims(pool).renew(job))
            #expect(job.leaseRemaining() > .seconds(15))
            #expect(job.leaseRemaining() <= .seconds(20))
            #expect(try await claims(pool).claim() == nil)
        }
    }

    @Test("cancelling a subject stops what waits and fences what runs")
    func cancels() async throws {
        try await withDatabase { pool in
            try await enqueue("k", subject: "s", pool)
            try await enqueue("k", subject: "s", pool)
            try await enqueue("k", subject: "other", pool)
            let running = try #require(try await claims(pool).claim())
            try await pool.transaction { try queue.cancel(subject: "s", in: $0) }
            await #expect(throws: JobFailure.leaseLost) {
                try await pool.transaction { try running.complete(in: $0) }
            }
            #expect(try await claims(pool).renew(running) == false)
            #expect(try await claims(pool).claim()?.subject == "other")
            #expect(try await claims(pool).claim() == nil)
        }
    }

    @Test("a dead job can be begun anew by hand")
    func retries() async throws {
        try await withDatabase { pool in
            try await enqueue("k", subject: "s", pool)
            let id = try #require(try await claims(pool).claim()).id
            #expect(try await pool.transaction { try queue.retry(id, in: $0) } == false)
            try await pool.read { try $0.run("UPDATE jobs SET state = 'dead', failure_count = 5") }
            #expect(try await pool.transaction { try queue.retry(id, in: $0) })
            #expect(try await claims(pool).claim()?.failureCount == 0)
        }
    }

    @Test("finished jobs go after a day, dead ones stay")
    func prunes() async throws {
        try await withDatabase { pool in
            for subject in ["done", "fresh", "dead"] {
                try await enqueue("k", subject: subject, pool)
            }
            try await pool.read { session in
                try session.run(
                    script: """
                        UPDATE jobs SET state = 'done', finished_at = now() - interval '25 hours';
                        UPDATE jobs SET finished_at = now() WHERE subject = 'fresh';
                        UPDATE jobs SET state = 'dead' WHERE subject = 'dead';
                        """)
                try queue.prune(session)
            }
            let left = try await pool.read {
                try $0.run("SELECT subject FROM jobs ORDER BY id")
                    .map { try $0.get("subject", as: String.self) }
            }
            #expect(left == ["fresh", "dead"])
        }
    }

    private func claimAll(_ pool: PostgresPool) async throws -> [String] {
        var subjects: [String] = []
        while let job = try await claims(pool).claim() { subjects.append(job.subject) }
        return subjects
    }

    private func enqueue(
        _ kind: String, subject: String, number: Int = 0, owner: String = "",
        priority: JobPriority = .upload, _ pool: PostgresPool
    ) async throws {
        try await pool.transaction {
            try queue.enqueue(
                kind, Payload(number: number), subject: subject, owner: owner, priority: priority,
                in: $0)
        }
    }
}

func claims(_ pool: PostgresPool, kinds: [String] = ["k"]) -> Claims {
    Claims(pool: pool, kinds: kinds, workerName: "test", leaseSeconds: 20)
}

/// As when every worker had been silent for longer than its lease.
func expireLeases(_ pool: PostgresPool) async throws {
    try await pool.read {
        try $0.run(
            "UPDATE jobs SET claimable_at = now() - interval '1 s' WHERE state = 'running'")
    }
}

func states(_ pool: PostgresPool) async throws -> [String] {
    try await pool.read {
        try $0.run("SELECT state FROM jobs ORDER BY id").map { try $0.get("state") }
    }
}
