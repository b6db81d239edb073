internal import FoundationEssentials
internal import Postgres

/// Tells everybody that this worker is there. Half a minute of silence tells that it is not.
struct WorkerPresence: Sendable {
    private let id = UUID()
    private let pool: PostgresPool
    private let name: String
    private let kinds: [String]

    static let interval = Duration.seconds(10)

    init(pool: PostgresPool, name: String, kinds: [String]) {
        self.pool = pool
        self.name = name
        self.kinds = kinds
    }

    func announce() async throws {
        try await pool.read { session in
            try session.run(
                """
                INSERT INTO job_workers (id, name, kinds)
                VALUES (\(id), \(name), \(kinds)::text[])
                ON CONFLICT (id) DO UPDATE SET heartbeat_at = now()
                """)
        }
    }

    /// Those who went forget to say so.
    func prune() async throws {
        try await pool.read { session in
            try session.run(
                "DELETE FROM job_workers WHERE heartbeat_at < now() - interval '1 hour'")
        }
    }
}
