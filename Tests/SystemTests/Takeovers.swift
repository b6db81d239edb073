import Postgres
import TestSupport

/// What happens to leases, written down by Postgres itself, in its own time.
struct Takeovers: Sendable {
    let count: Int
    /// From the end of a lease until somebody else held the job.
    let longestSeconds: Double

    /// From now on; ordinary claims and renewals are not written down.
    static func record(in deployment: Deployment) async throws {
        try await deployment.database.read { session in
            try session.run(
                script: """
                    CREATE TABLE celine_assistant.takeovers (
                        job_id bigint NOT NULL, late interval NOT NULL);
                    CREATE FUNCTION celine_assistant.record_takeover() RETURNS trigger
                    LANGUAGE plpgsql AS $$ BEGIN
                        INSERT INTO celine_assistant.takeovers
                        VALUES (NEW.id, clock_timestamp() - OLD.claimable_at);
                        RETURN NULL;
                    END $$;
                    CREATE TRIGGER record_takeover AFTER UPDATE ON celine_assistant.jobs
                    FOR EACH ROW WHEN (OLD.state = 'running' AND NEW.state = 'running'
                                       AND NEW.attempt > OLD.attempt)
                    EXECUTE FUNCTION celine_assistant.record_takeover();
                    """)
        }
    }

    init(in deployment: Deployment) async throws {
        let found = try await deployment.database.read { session in
            let row = try session.run(
                """
                SELECT count(*) AS n, coalesce(extract(epoch FROM max(late)), 0)::float8 AS late
                FROM celine_assistant.takeovers
                """
            ).first
            return (try row?.get("n", as: Int.self) ?? 0, try row?.get("late") ?? 0.0)
        }
        (count, longestSeconds) = found
    }
}
