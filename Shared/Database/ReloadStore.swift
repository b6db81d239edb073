package import Postgres

/// Requests that every chat replica looks at the live generation anew.
package struct ReloadStore {
    private let transaction: Transaction

    package init(_ transaction: Transaction) { self.transaction = transaction }

    /// The request's number: replicas say the last one they carried out.
    package func request() throws(PostgresError) -> Int {
        // Those that were killed leave a row behind.
        try transaction.run(
            "DELETE FROM chat_replicas WHERE heartbeat_at < now() - interval '1 day'")
        let rows = try transaction.run("SELECT nextval('reload_requests') AS number")
        guard let row = rows.first else { throw .undecodable(column: "number") }
        let number: Int = try row.get("number")
        try transaction.notify(Channel.generations, "reload")
        return number
    }

    /// Of the replicas that live, which have carried the request out, and which have not.
    ///
    /// A replica beats at least every five seconds; three beats missed and it is not waited for.
    package static func progress(
        of request: Int, _ session: Session
    ) throws(PostgresError) -> ReloadProgress {
        let rows = try session.run(
            """
            SELECT id, reload_sequence >= \(request) AS done FROM chat_replicas
            WHERE heartbeat_at > now() - interval '15 seconds' ORDER BY id
            """)
        var progress = ReloadProgress()
        for row in rows {
            if try row.get("done") {
                progress.done.append(try row.get("id"))
            } else {
                progress.pending.append(try row.get("id"))
            }
        }
        return progress
    }
}

/// Ids of replicas, in order.
package struct ReloadProgress: Sendable, Hashable {
    package var done: [String] = []
    package var pending: [String] = []
}
