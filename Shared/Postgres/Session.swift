import Glibc
internal import CLibPQ

/// A conversation with the server on one connection, each statement committed by itself.
///
/// Lives on the connection's own thread and cannot leave it: it is not Sendable, and the closures
/// that get one cannot `await`.
package class Session {
    let wire: Wire

    init(_ wire: Wire) { self.wire = wire }

    @discardableResult
    package func run(_ sql: SQL) throws(PostgresError) -> [Row] { try wire.run(sql) }
}

/// A session between BEGIN and COMMIT.
package final class Transaction: Session {
    /// Delivered to listeners when the transaction commits.
    package func notify(_ channel: String, _ payload: String) throws(PostgresError) {
        try run("SELECT pg_notify(\(channel)::text, \(payload)::text)")
    }
}
