internal import Domain
package import Postgres

/// Which generation each chat replica asks, and which reload request it has carried out.
package struct ChatReplicaStore {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    /// Says that a replica lives and asks this generation.
    package func beat(
        _ replica: String, generation: Int, reloadSequence: Int
    ) throws(PostgresError) {
        try session.run(
            """
            INSERT INTO chat_replicas (id, generation, reload_sequence)
            VALUES (\(replica), \(generation), \(reloadSequence))
            ON CONFLICT (id) DO UPDATE SET generation = excluded.generation,
                reload_sequence = excluded.reload_sequence, heartbeat_at = now()
            """)
    }

    package func delete(_ replica: String) throws(PostgresError) {
        try session.run("DELETE FROM chat_replicas WHERE id = \(replica)")
    }

    /// The newest request to reload; 0 before the first.
    package func lastReloadRequest() throws(PostgresError) -> Int {
        try session.run(
            """
            SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS number FROM reload_requests
            """
        ).first?.get("number") ?? 0
    }
}
