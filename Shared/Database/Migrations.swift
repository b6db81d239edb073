internal import Domain
package import Logging
package import Postgres

/// Brings our schema to what this version needs, and tells whether it is.
package enum Migrations {
    struct Migration {
        let version: Int
        let name: String
        /// The oldest version of ours that can run on the schema as it is after this one.
        let compatibleFrom: Int
        let sql: [UInt8]
    }

    /// In order, without gaps. Never edited once released: expand, then contract.
    static let all = [
        Migration(
            version: 1, name: "initial", compatibleFrom: 1, sql: PackageResources._001_initial_sql),
        Migration(
            version: 2, name: "members_own", compatibleFrom: 1,
            sql: PackageResources._002_members_own_sql),
        Migration(
            version: 3, name: "indexing_progress", compatibleFrom: 1,
            sql: PackageResources._003_indexing_progress_sql),
        Migration(
            version: 4, name: "second_answers", compatibleFrom: 1,
            sql: PackageResources._004_second_answers_sql),
        Migration(
            version: 5, name: "token_usage", compatibleFrom: 1,
            sql: PackageResources._005_token_usage_sql),
        Migration(
            version: 6, name: "stream_frames", compatibleFrom: 1,
            sql: PackageResources._006_stream_frames_sql),
        Migration(
            version: 7, name: "answer_details", compatibleFrom: 1,
            sql: PackageResources._007_answer_details_sql),
        Migration(
            version: 8, name: "audit", compatibleFrom: 1, sql: PackageResources._008_audit_sql),
        Migration(
            version: 9, name: "cheaper_frames", compatibleFrom: 1,
            sql: PackageResources._009_cheaper_frames_sql),
        Migration(
            version: 10, name: "training_pages", compatibleFrom: 1,
            sql: PackageResources._010_training_pages_sql),
        Migration(
            version: 11, name: "consistency", compatibleFrom: 1,
            sql: PackageResources._011_consistency_sql),
        Migration(
            version: 12, name: "job_attempts", compatibleFrom: 1,
            sql: PackageResources._012_job_attempts_sql),
        Migration(
            version: 13, name: "usage_counts", compatibleFrom: 1,
            sql: PackageResources._013_usage_counts_sql),
        Migration(
            version: 14, name: "generation_life", compatibleFrom: 1,
            sql: PackageResources._014_generation_life_sql),
    ]

    /// What this version was written for.
    package static let current = all.last?.version ?? 0

    /// Eight digits that change with every migration's text.
    package static var fingerprint: String {
        let text = String(decoding: all.flatMap(\.sql), as: UTF8.self)
        return String(
            Identifier<Migration>(namespace: Tenant.only.rawValue, name: text).description.prefix(8)
        )
    }

    /// Any number that nobody else locks.
    private static let lock: Int64 = 0x6365_6C69_6E65

    /// Applies what is missing, each migration in a transaction. Several callers at once take turns.
    ///
    /// - Parameter version: the last that is applied.
    package static func run(
        _ pool: PostgresPool, through version: Int = current, logger: Logger
    ) async throws {
        let finished: Void? = try await pool.withAdvisoryLock(lock, waitMax: .seconds(120)) {
            let applied = try await prepare(pool)
            for migration in all
            where migration.version > applied && migration.version <= version {
                try await apply(migration, to: pool)
                logger.info(
                    "applied a migration",
                    metadata: [
                        "migration.version": "\(migration.version)",
                        "migration.name": "\(migration.name)",
                    ])
            }
        }
        guard finished != nil else { throw MigrationError.busy }
    }

    /// Throws unless this version can run on the schema as it is.
    package static func requireCompatible(_ pool: PostgresPool) async throws {
        let schema = try await pool.read { try version($0) }
        guard schema.version >= current else {
            throw MigrationError.schemaTooOld(found: schema.version, needed: current)
        }
        guard schema.compatibleFrom <= current else {
            throw MigrationError.schemaTooNew(
                found: schema.version, compatibleFrom: schema.compatibleFrom, ours: current)
        }
    }

    /// The newest migration that was applied, and the oldest version that runs on it; 0 for none.
    package static func version(
        _ session: Session
    ) throws(PostgresError) -> (version: Int, compatibleFrom: Int) {
        guard try hasTable(session) else { return (0, 0) }
        let rows = try session.run(
            "SELECT version, compatible_from FROM schema_migrations ORDER BY version DESC LIMIT 1")
        guard let row = rows.first else { return (0, 0) }
        return (try row.get("version"), try row.get("compatible_from"))
    }

    /// The schema and the table of versions. Returns the newest version there is.
    private static func prepare(_ pool: PostgresPool) async throws -> Int {
        let schema = pool.configuration.schema
        return try await pool.transaction { transaction in
            // Looked for first: making it needs a right that running does not.
            let found = try transaction.run(
                "SELECT 1 AS found FROM pg_namespace WHERE nspname = \(schema)")
            if found.isEmpty {
                let name =
                    try transaction.run("SELECT quote_ident(\(schema)) AS name")
                    .first?.get("name", as: String.self) ?? ""
                try transaction.run(script: "CREATE SCHEMA \(name)")
            }
            if try !hasTable(transaction) {
                try transaction.run(
                    """
                    CREATE TABLE schema_migrations (
                        version int PRIMARY KEY,
                        name text NOT NULL,
                        compatible_from int NOT NULL,
                        applied_at timestamptz NOT NULL DEFAULT now()
                    )
                    """)
            }
            return try transaction.run(
                "SELECT coalesce(max(version), 0) AS version FROM schema_migrations"
            ).first?.get("version") ?? 0
        }
    }

    private static func apply(_ migration: Migration, to pool: PostgresPool) async throws {
        try await pool.transaction(deadline: .seconds(1800)) { transaction in
            try transaction.run(script: String(decoding: migration.sql, as: UTF8.self))
            try transaction.run(
                """
                INSERT INTO schema_migrations (version, name, compatible_from)
                VALUES (\(migration.version), \(migration.name), \(migration.compatibleFrom))
                """)
        }
    }

    private static func hasTable(_ session: Session) throws(PostgresError) -> Bool {
        try session.run("SELECT to_regclass('schema_migrations') IS NOT NULL AS found")
            .first?.get("found") ?? false
    }
}

package enum MigrationError: Error, Equatable, CustomStringConvertible {
    /// Somebody else has been migrating for two minutes.
    case busy
    case schemaTooOld(found: Int, needed: Int)
    case schemaTooNew(found: Int, compatibleFrom: Int, ours: Int)

    package var description: String {
        switch self {
        case .busy: "another process is migrating the database; try again when it is done"
        case .schemaTooOld(let found, let needed):
            "the database's schema is version \(found) and this needs \(needed): "
                + "run `admin migrate`"
        case .schemaTooNew(let found, let compatibleFrom, let ours):
            "the database's schema is version \(found), which runs with \(compatibleFrom) and "
                + "later, and this is \(ours): deploy a newer version"
        }
    }
}
