internal import CLibPQ
internal import Glibc

/// libpq's session and nothing else: sends, waits with a deadline, cancels, reads.
///
/// Not `Sendable`: it lives and dies on its connection's thread.
final class Wire {
    let session: OpaquePointer
    let wakeup: Wakeup
    private let cancelPermits: CancelPermits
    /// No further statement may be sent: the peer is gone or owes an answer.
    private(set) var isBroken = false
    private(set) var notifications: [Notification] = []
    private var prepared = PreparedStatements()

    /// How long the server may take to confirm that it stopped a statement.
    private static let cancelGrace: Duration = .seconds(3)

    /// Blocks until connected, refused, or for `connect_timeout`.
    init(
        _ configuration: PostgresConfiguration, wakeup: Wakeup, cancelPermits: CancelPermits
    ) throws(PostgresError) {
        let names = configuration.keywords.keys.sorted()
        let values = names.map { configuration.keywords[$0] ?? "" }
        guard
            let session = withCStrings(
                names,
                { names in
                    withCStrings(values) { values in PQconnectdbParams(names, values, 0) }
                })
        else { throw .unreachable("out of memory") }
        guard PQstatus(session) == CONNECTION_OK else {
            let reason = String(cString: PQerrorMessage(session))
            PQfinish(session)
            throw .unreachable(reason.split(separator: "\n").joined(separator: "; "))
        }
        // The server's notices would otherwise go to stderr.
        PQsetNoticeReceiver(session, { _, _ in }, nil)
        PQsetnonblocking(session, 1)
        self.session = session
        self.wakeup = wakeup
        self.cancelPermits = cancelPermits
    }

    deinit { PQfinish(session) }

    var isInTransaction: Bool { PQtransactionStatus(session) != PQTRANS_IDLE }

    /// Whether a connection that lay idle still has its peer.
    func isAlive() -> Bool {
        guard !isBroken, PQstatus(session) == CONNECTION_OK,
            PQtransactionStatus(session) == PQTRANS_IDLE
        else { return false }
        // Nobody asked for anything: what comes is the server's farewell, even before it closes.
        return !poll(timeout: .zero).socket
    }

    func run(_ sql: SQL, _ lease: Lease) throws(PostgresError) -> [Row] {
        if let index = sql.values.firstIndex(where: \.isUnencodable) {
            throw .undecodable(column: "$\(index + 1)")
        }
        let statement = Statement(text: sql.text, types: sql.values.map(\.type))
        switch prepared.use(statement) {
        case .once:
            return try rows(lease) { () throws(PostgresError) in
                try sendOnce(statement, sql.values)
            }
        case .known(let name): return try runPrepared(name, statement, sql.values, lease)
        case .new(let name, let forgotten):
            if let forgotten { try runScript("DEALLOCATE \(forgotten)", lease) }
            do {
                _ = try rows(lease) { () throws(PostgresError) in
                    try sendPrepare(name, statement)
                }
            } catch {
                prepared.forget(statement)
                throw error
            }
            return try runPrepared(name, statement, sql.values, lease)
        }
    }

    private func runPrepared(
        _ name: String, _ statement: Statement, _ values: [BoundValue], _ lease: Lease
    ) throws(PostgresError) -> [Row] {
        do {
            return try rows(lease) { () throws(PostgresError) in try send(name, values) }
        } catch {
            // Gone from the server, or the tables have changed since: planned anew next time.
            if case .refused("26000", _, _) = error { prepared.forget(statement) }
            if case .refused("0A000", _, _) = error { prepared.forget(statement) }
            throw error
        }
    }

    /// Several statements without values, as in a migration's file.
    func runScript(_ script: String, _ lease: Lease) throws(PostgresError) {
        _ = try rows(lease) { () throws(PostgresError) in try sendScript(script) }
    }

    /// Waits until there are notifications, the wake-up is signalled, or time is up.
    func waitForNotifications(_ duration: Duration) throws(PostgresError) -> [Notification] {
        if notifications.isEmpty, poll(timeout: duration).socket, !consumeInput() { throw lost() }
        defer { notifications = [] }
        return notifications
    }

    private func rows(
        _ lease: Lease, _ send: () throws(PostgresError) -> Void
    ) throws(PostgresError) -> [Row] {
        guard !isBroken else { throw .unreachable("the connection is gone") }
        if let interruption = lease.interruption { throw interruption }
        try send()
        try finish(lease)
        return try results()
    }

    /// Blocks until the whole answer is here. Interrupted, it has the server stop first.
    func finish(_ lease: Lease) throws(PostgresError) {
        while true {
            if try isAnswered() { return }
            if let interruption = lease.interruption {
                cancelStatement()
                throw interruption
            }
            if poll(timeout: lease.deadline - .now).wakeup { wakeup.clear() }
        }
    }

    func isAnswered() throws(PostgresError) -> Bool {
        let unsent = PQflush(session)
        guard unsent >= 0, consumeInput() else { throw lost() }
        isSending = unsent == 1
        return !isSending && PQisBusy(session) == 0
    }
    var isSending = false

    /// Asks the server to stop, and takes what the statement still answers, so that a late request
    /// cannot meet the next statement. A peer that confirms neither in time is given up.
    private func cancelStatement() {
        let request = CancelRequest(session, cancelPermits)
        let end = ContinuousClock.now + Self.cancelGrace
        while end > .now {
            guard let answered = try? isAnswered() else { return }  // Broken, and marked so.
            if answered, request?.isSent ?? true {
                takeRemainingResults()
                return
            }
            // The request's end gives no signal here; it takes a few milliseconds.
            let pause: Duration = answered ? .milliseconds(1) : .milliseconds(50)
            _ = poll(timeout: min(pause, end - .now), ignoringWakeup: true)
        }
        isBroken = true
    }

    private func takeRemainingResults() {
        while let result = PQgetResult(session) {
            defer { PQclear(result) }
            // A copy that had begun: it would say so for ever.
            guard PQresultStatus(result) != PGRES_COPY_OUT,
                PQresultStatus(result) != PGRES_COPY_IN
            else {
                isBroken = true
                return
            }
        }
    }

    /// The rows of the last statement, or the first error.
    func results() throws(PostgresError) -> [Row] {
        var rows: [Row] = []
        var failure: PostgresError?
        while let result = PQgetResult(session) {
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
                command = String(cString: PQcmdStatus(result))
                rows = decodeRows(result)
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                isBroken = true
                throw .refused(sqlState: "0A000", constraint: nil, message: "COPY is not spoken")
            default: failure = failure ?? refusal(result)
            }
        }
        if PQstatus(session) != CONNECTION_OK { throw lost() }
        if let failure { throw failure }
        return rows
    }
    /// The last statement's tag: `COMMIT`, `UPDATE 1`.
    private(set) var command = ""

    func refusal(_ result: OpaquePointer) -> PostgresError {
        func field(_ code: Character) -> String? {
            PQresultErrorField(result, Int32(code.asciiValue ?? 0)).map { String(cString: $0) }
        }
        let sqlState = field("C") ?? ""
        let message = field("M") ?? String(cString: PQresultErrorMessage(result))
        // Connection exceptions, and a server that is stopping or starting.
        if sqlState.isEmpty || sqlState.hasPrefix("08") || sqlState.hasPrefix("57P") {
            isBroken = true
            return .unreachable(message)
        }
        return .refused(sqlState: sqlState, constraint: field("n"), message: message)
    }

    func lost() -> PostgresError {
        isBroken = true
        return .unreachable(
            String(cString: PQerrorMessage(session)).split(separator: "\n").joined(separator: "; "))
    }

    private func consumeInput() -> Bool {
        guard PQconsumeInput(session) == 1 else {
            isBroken = true
            return false
        }
        while let notification = PQnotifies(session) {
            notifications.append(Notification(notification.pointee))
            PQfreemem(notification)
        }
        return true
    }

    func poll(
        timeout: Duration, ignoringWakeup: Bool = false
    ) -> (socket: Bool, wakeup: Bool) {
        let output = isSending ? Int16(POLLOUT) : 0
        var descriptors = [
            pollfd(fd: PQsocket(session), events: Int16(POLLIN) | output, revents: 0)
        ]
        if !ignoringWakeup {
            descriptors.append(pollfd(fd: wakeup.descriptor, events: Int16(POLLIN), revents: 0))
        }
        let milliseconds = max(0, min(timeout / .milliseconds(1), 60_000)).rounded(.up)
        // An interrupted call is like one that found nothing: the caller looks again.
        _ = Glibc.poll(&descriptors, nfds_t(descriptors.count), Int32(milliseconds))
        return (descriptors[0].revents != 0, descriptors.last?.revents != 0 && !ignoringWakeup)
    }

    private func check(_ sent: Int32) throws(PostgresError) {
        guard sent == 1 else { throw lost() }
    }

    func sendScript(_ script: String) throws(PostgresError) {
        try check(PQsendQuery(session, script))
    }

    private func sendPrepare(_ name: String, _ statement: Statement) throws(PostgresError) {
        try check(
            PQsendPrepare(
                session, name, statement.text, Int32(statement.types.count), statement.types))
    }

    private func sendOnce(
        _ statement: Statement, _ values: [BoundValue]
    ) throws(PostgresError) {
        try check(
            withParameters(values) { count, pointers, lengths, formats in
                PQsendQueryParams(
                    session, statement.text, count, statement.types, pointers, lengths, formats, 1)
            })
    }

    private func send(_ name: String, _ values: [BoundValue]) throws(PostgresError) {
        try check(
            withParameters(values) { count, pointers, lengths, formats in
                PQsendQueryPrepared(session, name, count, pointers, lengths, formats, 1)
            })
    }
}
