package import Logging
internal import ServiceLifecycle
internal import Synchronization

/// Connections to share: a fixed number at most, opened when needed, replaced when broken.
package final class PostgresPool: Service, Sendable {
    private struct State {
        var idle: [Connection] = []
        var isClosed = false
    }

    package let configuration: PostgresConfiguration
    private let permits: Permits
    private let cancelPermits = CancelPermits()
    private let waitMax: Duration
    private let logger: Logger
    private let state = Mutex(State())

    /// A connection is replaced after this long, so that a database that moved is found again.
    private static let ageMax: Duration = .seconds(1800)
    /// After which a transaction is not begun again.
    private static let deadlockCountMax = 2

    package init(
        _ configuration: PostgresConfiguration, connectionCountMax: Int, waitMax: Duration,
        logger: Logger
    ) {
        self.configuration = configuration
        self.waitMax = waitMax
        self.logger = logger
        permits = Permits(count: connectionCountMax)
    }

    /// Statements on one connection that each commit by themselves.
    ///
    /// - Parameter deadline: for all of them together, from the first on.
    @discardableResult
    package func read<Value: Sendable>(
        deadline: Duration = .seconds(10), _ body: @Sendable (Session) throws -> Value
    ) async throws -> Value {
        try await withConnection { connection in
            let lease = Lease(deadline, wakeup: connection.wakeup)
            return try await withTaskCancellationHandler {
                try await connection.read(lease, body)
            } onCancel: {
                lease.cancel()
            }
        }
    }

    /// Statements that commit together, or, when `body` throws, not at all. Of two transactions that wait
    /// for each other the server ends one: that one is begun again, so `body` may run more than once.
    @discardableResult
    package func transaction<Value: Sendable>(
        deadline: Duration = .seconds(30), _ body: @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        for _ in 0..<Self.deadlockCountMax {
            do {
                return try await transactionOnce(deadline, body)
            } catch let error as PostgresError {
                guard case .refused("40P01", _, _) = error else { throw error }
                logger.info("transaction is begun again after a deadlock")
            }
        }
        return try await transactionOnce(deadline, body)
    }

    private func transactionOnce<Value: Sendable>(
        _ deadline: Duration, _ body: @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        try await withConnection { connection in
            let lease = Lease(deadline, wakeup: connection.wakeup)
            return try await withTaskCancellationHandler {
                try await connection.transaction(lease, body)
            } onCancel: {
                lease.cancel()
            }
        }
    }

    /// Runs `body` while nobody else holds the lock of this number, on a connection outside the pool.
    ///
    /// Nil when it was not to be had within `waitMax`. The lock goes with its connection: a server
    /// that restarts meanwhile takes it away without `body` being told.
    package func withAdvisoryLock<Value: Sendable>(
        _ key: Int64, waitMax: Duration, _ body: () async throws -> Value
    ) async throws -> Value? {
        let connection = try await open()
        let lease = Lease(waitMax + .seconds(5), wakeup: connection.wakeup)
        let isLocked = try await withTaskCancellationHandler {
            try await connection.read(lease) { try Self.lock(Int(key), waitMax: waitMax, $0) }
        } onCancel: {
            lease.cancel()
        }
        guard isLocked else {
            await connection.close()
            return nil
        }
        do {
            let value = try await body()
            await Self.unlock(key, connection)
            return value
        } catch {
            await Self.unlock(key, connection)
            throw error
        }
    }

    /// The server lets go of a closed connection's locks only a moment later: so say it first.
    private static func unlock(_ key: Int64, _ connection: Connection) async {
        // Whatever goes wrong here, the lock goes with the connection.
        _ = try? await connection.read(Lease(.seconds(5), wakeup: connection.wakeup)) {
            try $0.run("SELECT pg_advisory_unlock(\(Int(key)))")
        }
        await connection.close()
    }

    /// Keeps until graceful shutdown; connections in use are closed when they come back.
    package func run() async throws {
        // Ends by cancellation as well, and in both cases there is nothing left but to close.
        try? await gracefulShutdown()
        await close()
    }

    package func close() async {
        let idle = state.withLock { state in
            state.isClosed = true
            defer { state.idle = [] }
            return state.idle
        }
        for connection in idle { await connection.close() }
    }

    private static func lock(
        _ key: Int, waitMax: Duration, _ session: Session
    ) throws(PostgresError) -> Bool {
        let milliseconds = Int(waitMax / .milliseconds(1))
        if milliseconds <= 0 {
            return try session.run("SELECT pg_try_advisory_lock(\(key)) AS locked").first?
                .get("locked") ?? false
        }
        try session.run("SELECT set_config('lock_timeout', \(String(milliseconds)), false)")
        do {
            try session.run("SELECT pg_advisory_lock(\(key))")
            return true
        } catch .refused("55P03", _, _) {
            return false
        }
    }

    func withConnection<Value: Sendable>(
        _ body: (Connection) async throws -> Value
    ) async throws -> Value {
        try await permits.take(waitMax: waitMax)
        defer { permits.giveBack() }
        let connection = try await connection()
        do {
            let value = try await body(connection)
            await giveBack(connection)
            return value
        } catch {
            await giveBack(connection)
            throw error
        }
    }

    private func connection() async throws(PostgresError) -> Connection {
        while let connection = try takeIdle() {
            if await connection.isAlive { return connection }
            await connection.close()
            logger.warning("replacing a broken database connection")
        }
        return try await open()
    }

    private func takeIdle() throws(PostgresError) -> Connection? {
        let (connection, isClosed) = state.withLock { ($0.idle.popLast(), $0.isClosed) }
        if isClosed { throw .unreachable("the connection pool is closed") }
        return connection
    }

    func open() async throws(PostgresError) -> Connection {
        let connection = Connection(cancelPermits: cancelPermits)
        try await connection.open(configuration)
        return connection
    }

    private func giveBack(_ connection: Connection) async {
        let isOld = ContinuousClock.now - connection.openedAt > Self.ageMax
        let isAlive = await connection.isAlive
        let isKept = state.withLock { state in
            guard !isOld, isAlive, !state.isClosed else { return false }
            state.idle.append(connection)
            return true
        }
        if !isKept { await connection.close() }
    }
}
