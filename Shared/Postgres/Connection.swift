/// One database session.
///
/// libpq blocks, so every connection owns a serial queue and runs only there: the actor's executor
/// *is* that queue, which keeps the C pointer on one thread at a time without any unchecked promise.
actor Connection {
    private let queue = BlockingQueue(label: "postgres.connection")
    private var wire: Wire?
    nonisolated let wakeup = Wakeup()
    nonisolated let openedAt = ContinuousClock.now
    private let cancelPermits: CancelPermits

    nonisolated var unownedExecutor: UnownedSerialExecutor { queue.asUnownedSerialExecutor() }

    init(cancelPermits: CancelPermits = CancelPermits()) { self.cancelPermits = cancelPermits }

    isolated deinit { wire = nil }

    func open(_ configuration: PostgresConfiguration) throws(PostgresError) {
        let wire = try Wire(
            configuration, wakeup: wakeup, cancelPermits: cancelPermits)
        _ = try wire.run(
            configuration.preparation, Lease(.seconds(5), wakeup: wakeup))
        self.wire = wire
    }

    func close() { wire = nil }

    var isAlive: Bool { wire?.isAlive() ?? false }

    /// Statements that each commit by themselves.
    func read<Value: Sendable>(
        _ lease: Lease, _ body: @Sendable (Session) throws -> Value
    ) throws -> Value {
        try body(Session(try usable(), lease))
    }

    /// Runs `body` between BEGIN and COMMIT, and ROLLBACK when it throws.
    func transaction<Value: Sendable>(
        _ lease: Lease, _ body: @Sendable (Transaction) throws -> Value
    ) throws -> Value {
        let wire = try usable()
        do {
            _ = try wire.run("BEGIN", lease)
            let value = try body(Transaction(wire, lease))
            if let interruption = lease.interruption { throw interruption }
            try commit(wire)
            return value
        } catch {
            rollBack(wire)
            throw error
        }
    }

    func waitForNotifications(_ duration: Duration) throws(PostgresError) -> [Notification] {
        defer { wakeup.clear() }
        return try usable().waitForNotifications(duration)
    }

    /// Not to be interrupted: the caller could not know whether it had happened. When nothing tells,
    /// it hears `.unreachable`, whatever the reason.
    func commit(_ wire: Wire) throws(PostgresError) {
        do {
            _ = try wire.run("COMMIT", Lease(.seconds(15), wakeup: wakeup))
        } catch .timedOut {
            throw .unreachable("the commit was not confirmed in time")
        }
        // The server answers so when a statement failed and the body went on regardless.
        guard wire.command == "COMMIT" else {
            throw .refused(
                sqlState: "25P02", constraint: nil,
                message: "a statement of the transaction had failed")
        }
    }

    /// What went wrong first is what the caller hears; a session that cannot roll back is closed.
    private func rollBack(_ wire: Wire) {
        guard !wire.isBroken else { return close() }
        guard wire.isInTransaction else { return }
        do {
            _ = try wire.run("ROLLBACK", Lease(.seconds(5), wakeup: wakeup))
        } catch {
            close()
        }
    }

    func usable() throws(PostgresError) -> Wire {
        guard let wire else { throw .unreachable("the connection is closed") }
        return wire
    }
}
