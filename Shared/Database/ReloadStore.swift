package import Postgres

/// Requests that every chat replica looks at the live generation anew.
package struct ReloadStore {
    private let transaction: Transaction

    package init(_ transaction: Transaction) { self.transaction = transaction }

    /// The request's number: replicas say the last one they carried out.
    package func request() throws(PostgresError) -> Int {
        let rows = try transaction.run("SELECT nextval('reload_requests') AS number")
        guard let row = rows.first else { throw .undecodable(column: "number") }
        let number: Int = try row.get("number")
        try transaction.notify(Channel.generations, "reload")
        return number
    }

    /// Of the replicas that live, how many have carried the request out, and how many not.
    ///
    /// A replica beats at least every five seconds; three beats missed and it is not waited for.
    package static func progress(
        of request: Int, _ session: Session
    ) throws(PostgresError) -> ReloadProgress {
        let rows = try session.run(
            """
            SELECT count(*) FILTER (WHERE reload_sequence >= \(request)) AS done,
                   count(*) FILTER (WHERE reload_sequence < \(request)) AS pending
            FROM chat_replicas WHERE heartbeat_at > now() - interval '15 seconds'
            """)
        guard let row = rows.first else { throw .undecodable(column: "done") }
        return ReloadProgress(doneCount: try row.get("done"), pendingCount: try row.get("pending"))
    }
}

package struct ReloadProgress: Sendable, Hashable {
    package let doneCount: Int
    package let pendingCount: Int
}
