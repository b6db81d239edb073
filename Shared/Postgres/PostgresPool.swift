package import Logging
import ServiceLifecycle

/// A bounded number of connections, lent to one caller at a time; broken ones are replaced.
package final class PostgresPool: Service, Sendable {
    private let configuration: PostgresConfiguration
    private let slots: ConnectionSlots
    private let logger: Logger

    /// - Parameter waitMax: how long a caller waits for a connection before `busy`.
    package init(
        _ configuration: PostgresConfiguration, connectionCountMax: Int = 8,
        waitMax: Duration = .seconds(5), logger: Logger
    ) {
        self.configuration = configuration
        self.logger = logger
        slots = ConnectionSlots(countMax: connectionCountMax, waitMax: waitMax)
    }

    /// Keeps the pool until the service stops, then closes what is idle.
    package func run() async throws {
        try await gracefulShutdown()
        await slots.close()
    }

    package func close() async { await slots.close() }

    /// One connection for a few statements, each committed by itself.
    package func read<Value: Sendable>(
        deadline: Duration = .seconds(10), _ body: @Sendable (Session) throws -> Value
    ) async throws -> Value {
        try await withConnection { connection in
            try await connection.read(until: .now + deadline, body)
        }
    }

    /// All of it, or nothing of it. `body` cannot `await`: nobody waits for others with rows locked.
    package func transaction<Value: Sendable>(
        deadline: Duration = .seconds(30), _ body: @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        try await withConnection { connection in
            try await connection.transaction(until: .now + deadline, body)
        }
    }

    /// Holds a session-level advisory lock while `body` runs, on a connection of its own.
    /// Nil when another holder did not let go within `waitMax`.
    package func withAdvisoryLock<Value: Sendable>(
        _ key: Int64, waitMax: Duration, _ body: () async throws -> Value
    ) async throws -> Value? {
        let connection = try PostgresConnection()
        try await connection.open(configuration)
        let until = ContinuousClock.now + waitMax
        while true {
            let isOurs = try await connection.read(until: .now + .seconds(5)) { session in
                try session.run("SELECT pg_try_advisory_lock(\(Int(key))::bigint) AS ours")
                    .first?.get("ours", as: Bool.self) ?? false
            }
            if isOurs { break }
            if ContinuousClock.now >= until {
                await connection.close()
                return nil
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        do {
            let value = try await body()
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }

    private func withConnection<Value: Sendable>(
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let connection = try await take()
        do {
            let value = try await withTaskCancellationHandler {
                try await body(connection)
            } onCancel: {
                connection.interruptStatement()
            }
            await giveBack(connection)
            return value
        } catch {
            await giveBack(connection)
            throw error
        }
    }

    private func take() async throws -> PostgresConnection {
        if let idle = try await slots.take() { return idle }
        do {
            let connection = try PostgresConnection()
            try await connection.open(configuration)
            return connection
        } catch {
            await slots.giveBack(nil)
            throw error
        }
    }

    private func giveBack(_ connection: PostgresConnection) async {
        if await connection.isIdle {
            await slots.giveBack(connection)
        } else {
            logger.warning("postgres connection replaced")
            await connection.close()
            await slots.giveBack(nil)
        }
    }
}

/// The places of a pool: idle connections, and callers waiting in the order they came.
actor ConnectionSlots {
    private let countMax: Int
    private let waitMax: Duration
    private var takenCount = 0
    private var idle: [PostgresConnection] = []
    private var waiters: [(id: Int, continuation: CheckedContinuation<Grant, any Error>)] = []
    private var nextID = 0
    private var isClosed = false

    private enum Grant: Sendable {
        case connection(PostgresConnection)
        case place
    }

    init(countMax: Int, waitMax: Duration) {
        self.countMax = countMax
        self.waitMax = waitMax
    }

    /// A connection, or nil for the right to open one.
    func take() async throws -> PostgresConnection? {
        if isClosed { throw PostgresError.unreachable("the pool is closed") }
        if takenCount < countMax {
            takenCount += 1
            return idle.popLast()
        }
        nextID += 1
        let id = nextID
        let grant = try await withThrowingTaskGroup(of: Grant?.self) { group in
            group.addTask { try await self.wait(id) }
            group.addTask { [waitMax] in
                try await Task.sleep(for: waitMax)
                await self.giveUp(id, PostgresError.busy)
                return nil
            }
            defer { group.cancelAll() }
            while let grant = try await group.next() {
                if let grant { return grant }
            }
            throw PostgresError.busy
        }
        if case .connection(let connection) = grant { return connection }
        return nil
    }

    func giveBack(_ connection: PostgresConnection?) async {
        if !waiters.isEmpty {
            waiters.removeFirst().continuation.resume(
                returning: connection.map(Grant.connection) ?? .place)
            return
        }
        takenCount -= 1
        if let connection {
            if isClosed { await connection.close() } else { idle.append(connection) }
        }
    }

    func close() async {
        isClosed = true
        let connections = idle
        idle = []
        for connection in connections { await connection.close() }
    }

    private func wait(_ id: Int) async throws -> Grant {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                if Task.isCancelled {
                    continuation.resume(throwing: PostgresError.cancelled)
                } else {
                    waiters.append((id, continuation))
                }
            }
        } onCancel: {
            // The waiter is in an actor; this hop is the only way in from here.
            Task { await self.giveUp(id, PostgresError.cancelled) }
        }
    }

    private func giveUp(_ id: Int, _ error: PostgresError) {
        guard let index = waiters.firstIndex(where: { $0.id == id }) else { return }
        waiters.remove(at: index).continuation.resume(throwing: error)
    }
}
