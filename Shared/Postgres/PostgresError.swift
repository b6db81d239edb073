/// What can go wrong between us and the database, by what the caller can do about it.
package enum PostgresError: Error, Sendable, Equatable {
    /// The settings name no database. Trying again does not help.
    case misconfigured(String)
    /// The server is away, or went away. Trying again later may work. A transaction that ends so may
    /// have been committed.
    case unreachable(String)
    /// Every connection of the pool was in use for as long as we wait.
    case busy
    /// The deadline passed. The statement was cancelled on the server.
    case timedOut
    /// The server refused the statement. `sqlState` is the five-letter code: `23505`.
    case refused(sqlState: String, constraint: String?, message: String)
    /// A column did not hold what the query promised: a bug in our SQL.
    case undecodable(column: String)
    /// The task that asked was cancelled. The statement was cancelled on the server.
    case cancelled
}

extension PostgresError {
    /// Whether a unique constraint stood in the way; any, or the one of this name.
    package func isDuplicate(of constraint: String? = nil) -> Bool {
        guard case .refused("23505", let name, _) = self else { return false }
        return constraint == nil || constraint == name
    }
}
