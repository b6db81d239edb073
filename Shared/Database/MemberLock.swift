package import Domain
package import Postgres

/// Turns of changes to what one member has or does. Taken before any row, everywhere.
package enum MemberLock {
    /// Until the transaction ends. Members whose hashes are the same wait for each other, which harms
    /// nobody.
    package static func take(
        _ principal: Principal, in transaction: Transaction
    ) throws(PostgresError) {
        let name = "celine member \(principal.tenant) \(principal.user)"
        try transaction.run("SELECT pg_advisory_xact_lock(hashtextextended(\(name), 0))")
    }
}
