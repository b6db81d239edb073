/// One database session.
///
/// libpq blocks, so every connection owns a serial queue and runs only there: the actor's executor
/// *is* that queue, which keeps the C pointer on one thread at a time without an unchecked promise.
actor PostgresConnection {
    private let queue: BlockingQueue
    private let interrupt: Interrupt
    private var wire: Wire?

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        queue.asUnownedSerialExecutor()
    }

    init() throws(PostgresError) {
        queue = BlockingQueue(label: "postgres.connection")
        interrupt = try Interrupt()
    }

    // Ends the session on its own thread.
    isolated deinit { wire = nil }

    func open(_ configuration: PostgresConfiguration) throws(PostgresError) {
        let wire = try Wire(configuration, interrupt: interrupt)
        wire.deadline = .now + .seconds(5)
        for statement in configuration.opening { try wire.simple(statement) }
        self.wire = wire
    }

    func close() { wire = nil }

    var isIdle: Bool { wire?.isIdle ?? false }

    /// Stops the statement that runs now, if one does.
    nonisolated func interruptStatement() { interrupt.request() }

    func read<Value: Sendable>(
        until deadline: ContinuousClock.Instant, _ body: @Sendable (Session) throws -> Value
    ) throws -> Value {
        try body(Session(try ready(until: deadline)))
    }

    /// Runs `body` between BEGIN and COMMIT, and ROLLBACK when it throws.
    func transaction<Value: Sendable>(
        until deadline: ContinuousClock.Instant, _ body: @Sendable (Transaction) throws -> Value
    ) throws -> Value {
        let wire = try ready(until: deadline)
        try wire.simple("BEGIN")
        do {
            let value = try body(Transaction(wire))
            try wire.simple("COMMIT")
            return value
        } catch {
            if wire.isUsable {
                wire.deadline = .now + .seconds(2)
                // The first error is what the caller must see; a connection that does not roll
                // back is not idle, and the pool closes it.
                try? wire.simple("ROLLBACK")
            }
            throw error
        }
    }

    func notifications(
        until limit: ContinuousClock.Instant
    ) throws(PostgresError) -> [Notification] {
        guard let wire else { throw .unreachable("closed") }
        return try wire.notifications(until: limit)
    }

    private func ready(until deadline: ContinuousClock.Instant) throws(PostgresError) -> Wire {
        guard let wire else { throw .unreachable("closed") }
        interrupt.clear()
        if Task.isCancelled { throw .cancelled }
        wire.deadline = deadline
        return wire
    }
}
