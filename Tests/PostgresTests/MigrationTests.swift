import Logging
import Postgres
import TestSupport
import Testing

@testable import Database

@Suite("Migrations")
struct MigrationTests {
    @Test("stand beside the tables of the service we replace and leave them alone")
    func spareForeignTables() async throws {
        try await withPool { pool in
            try await pool.read {
                try $0.run(
                    script: """
                        CREATE TABLE public.conversations (
                            conversation_id uuid PRIMARY KEY, user_id text NOT NULL,
                            created_at timestamptz NOT NULL DEFAULT now());
                        CREATE TABLE public.messages (
                            message_id bigserial PRIMARY KEY, conversation_id uuid
                                REFERENCES public.conversations, content text);
                        CREATE TABLE public.attachments (id uuid PRIMARY KEY, path text);
                        INSERT INTO public.conversations (conversation_id, user_id)
                            VALUES ('7d1f0e4e-3b51-4f0e-9a4e-111111111111', 'alice');
                        INSERT INTO public.messages (conversation_id, content)
                            VALUES ('7d1f0e4e-3b51-4f0e-9a4e-111111111111', 'ciao');
                        """)
            }
            let before = try await foreignColumns(pool)
            try await Migrations.run(pool, logger: .test)
            try await Migrations.requireCompatible(pool)
            #expect(try await foreignColumns(pool) == before)
            try await pool.read { session in
                // Ours are found by their bare name, and are empty.
                let ours = try session.run("SELECT id, user_id FROM conversations")
                let theirs = try session.run("SELECT content FROM public.messages")
                #expect(ours.isEmpty && theirs.count == 1)
            }
        }
    }

    @Test("run once, however many run them at once")
    func takeTurns() async throws {
        try await withPool { pool in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { try await Migrations.run(pool, logger: .test) } }
                try await group.waitForAll()
            }
            let versions = try await pool.read {
                try $0.run(
                    "SELECT version, name, compatible_from, applied_at FROM schema_migrations")
            }
            #expect(versions.count == Migrations.current)
            #expect(try versions.first?.get("name", as: String.self) == "initial")
        }
    }

    @Test("a database without them is refused")
    func refusesEmpty() async throws {
        try await withPool { pool in
            await #expect(throws: MigrationError.schemaTooOld(found: 0, needed: Migrations.current))
            {
                try await Migrations.requireCompatible(pool)
            }
        }
    }

    @Test("a newer schema is accepted when it says that it is compatible, and refused otherwise")
    func judgesNewer() async throws {
        try await withDatabase { pool in
            let newer = Migrations.current + 1
            try await pool.read {
                try $0.run(
                    """
                    INSERT INTO schema_migrations (version, name, compatible_from)
                    VALUES (\(newer), 'expand', \(Migrations.current))
                    """)
            }
            try await Migrations.requireCompatible(pool)
            try await pool.read {
                try $0.run("UPDATE schema_migrations SET compatible_from = \(newer)")
            }
            await #expect(throws: MigrationError.self) {
                try await Migrations.requireCompatible(pool)
            }
        }
    }

    private func withPool(_ body: (PostgresPool) async throws -> Void) async throws {
        try await withEmptyDatabase { configuration in
            let pool = PostgresPool(
                configuration, connectionCountMax: 4, waitMax: .seconds(10), logger: .test)
            try await closing(pool) { try await body(pool) }
        }
    }

    private func foreignColumns(_ pool: PostgresPool) async throws -> [String] {
        try await pool.read { session in
            try session.run(
                """
                SELECT table_name || '.' || column_name || ' ' || data_type AS line
                FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1
                """
            ).map { try $0.get("line") }
        }
    }
}
