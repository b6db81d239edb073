/// A transaction that stays open while its owner waits for other things: for what takes longer than
/// one visit to the connection's thread. Everything else belongs in `PostgresPool.transaction`.
package struct OpenTransaction: Sendable {
    package enum Mode: Sendable {
        /// Every statement sees the database as the first one did, and changes nothing.
        case snapshot
        case write
    }

    private let connection: Connection

    /// Of one piece of a copy, or of what is between two.
    private static let pieceDeadline = Duration.seconds(120)
    private static let pieceByteCountMin = 1 << 20

    init(_ connection: Connection) { self.connection = connection }

    package func run<Value: Sendable>(
        deadline: Duration = .seconds(30), _ body: @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        try await interruptibly(deadline) { try await connection.proceed($0, body) }
    }

    /// `COPY … TO STDOUT`: the rows in the server's text format, a line each, as they come.
    ///
    /// - Parameter statement: nothing in it came from outside.
    package func copyOut(
        _ statement: String, _ take: ([UInt8]) async throws -> Void
    ) async throws {
        try await interruptibly { try await connection.beginCopy(statement, $0) }
        while true {
            let rows = try await interruptibly {
                try await connection.copiedRows(byteCountMin: Self.pieceByteCountMin, $0)
            }
            if !rows.bytes.isEmpty { try await take(rows.bytes) }
            if rows.areLast { return }
        }
    }

    /// `COPY … FROM STDIN`: rows in the same format, cut anywhere, until there are no more.
    ///
    /// - Returns: how many rows there were.
    package func copyIn(
        _ statement: String, _ next: () async throws -> [UInt8]?
    ) async throws -> Int {
        try await interruptibly { try await connection.beginCopy(statement, $0) }
        while let rows = try await next() {
            try await interruptibly { try await connection.sendRows(rows, $0) }
        }
        return try await interruptibly { try await connection.endCopy($0) }
    }

    private func interruptibly<Value: Sendable>(
        _ deadline: Duration = pieceDeadline, _ body: (Lease) async throws -> Value
    ) async throws -> Value {
        let lease = Lease(deadline, wakeup: connection.wakeup)
        return try await withTaskCancellationHandler {
            try await body(lease)
        } onCancel: {
            lease.cancel()
        }
    }
}

extension PostgresPool {
    /// Commits when `body` returns; when it throws, nothing has happened. On a connection outside
    /// the pool.
    package func withOpenTransaction<Value: Sendable>(
        _ mode: OpenTransaction.Mode, _ body: (OpenTransaction) async throws -> Value
    ) async throws -> Value {
        let connection = try await open()
        do {
            try await connection.begin(mode, Lease(.seconds(10), wakeup: connection.wakeup))
            let value = try await body(OpenTransaction(connection))
            try await connection.commit()
            await connection.close()
            return value
        } catch {
            // The server rolls back what it has of a closed connection.
            await connection.close()
            throw error
        }
    }
}

extension Connection {
    /// What comes between two statements may take minutes: the next file of an archive, say.
    fileprivate func begin(
        _ mode: OpenTransaction.Mode, _ lease: Lease
    ) throws(PostgresError) {
        let begin =
            switch mode {
            case .snapshot: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
            case .write: "BEGIN"
            }
        try usable().runScript(
            "\(begin); SET LOCAL idle_in_transaction_session_timeout = '15min'", lease)
    }

    fileprivate func commit() throws(PostgresError) { try commit(try usable()) }

    fileprivate func proceed<Value: Sendable>(
        _ lease: Lease, _ body: @Sendable (Transaction) throws -> Value
    ) throws -> Value {
        try body(Transaction(try usable(), lease))
    }

    fileprivate func beginCopy(_ statement: String, _ lease: Lease) throws(PostgresError) {
        try usable().beginCopy(statement, lease)
    }

    fileprivate func copiedRows(
        byteCountMin: Int, _ lease: Lease
    ) throws(PostgresError) -> CopiedRows {
        try usable().copiedRows(byteCountMin: byteCountMin, lease)
    }

    fileprivate func sendRows(_ rows: [UInt8], _ lease: Lease) throws(PostgresError) {
        try usable().sendRows(rows, lease)
    }

    fileprivate func endCopy(_ lease: Lease) throws(PostgresError) -> Int {
        try usable().endCopy(lease)
    }
}
