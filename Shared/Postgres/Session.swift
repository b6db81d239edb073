/// A connection while somebody has it: runs statements, one after the other, each blocking.
///
/// It never leaves the connection's thread, so nothing can be awaited between two statements.
package class Session {
    let wire: Wire
    private let lease: Lease

    init(_ wire: Wire, _ lease: Lease) {
        self.wire = wire
        self.lease = lease
    }

    @discardableResult
    package func run(_ sql: SQL) throws(PostgresError) -> [Row] { try wire.run(sql, lease) }

    /// Several statements in one text, without values: for migrations' files, and nothing that came
    /// from outside.
    package func run(script: String) throws(PostgresError) { try wire.runScript(script, lease) }
}

/// A session between BEGIN and COMMIT.
package final class Transaction: Session {
    /// Tells all listeners of the channel, once this has committed.
    package func notify(_ channel: String, _ payload: String) throws(PostgresError) {
        try run("SELECT pg_notify(\(channel), \(payload))")
    }
}
