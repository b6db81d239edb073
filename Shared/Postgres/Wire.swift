import Glibc
internal import CLibPQ

/// libpq's handle, waits with a deadline, and what the server answered.
///
/// Only ever touched by the thread of the connection that owns it.
final class Wire {
    private let handle: OpaquePointer
    private let interrupt: Interrupt
    /// Names of statements the server has parsed, by their text.
    private var prepared: [String: String] = [:]
    /// False once the connection can no longer be trusted.
    private(set) var isUsable = true
    /// The latest time for the statements that follow.
    var deadline: ContinuousClock.Instant = .now

    /// How long a cancelled statement may take to end before the connection is given up.
    private static let cancelGrace: Duration = .seconds(2)
    private static let preparedCountMax = 256

    init(_ configuration: PostgresConfiguration, interrupt: Interrupt) throws(PostgresError) {
        self.interrupt = interrupt
        var keys: [UnsafePointer<CChar>?] = []
        var values: [UnsafePointer<CChar>?] = []
        for (key, value) in configuration.parameters {
            keys.append(UnsafePointer(strdup(key)))
            values.append(UnsafePointer(strdup(value)))
        }
        defer {
            for text in keys + values { free(UnsafeMutablePointer(mutating: text)) }
        }
        guard let handle = PQconnectdbParams(keys + [nil], values + [nil], 1) else {
            throw .unreachable("out of memory")
        }
        guard PQstatus(handle) == CONNECTION_OK else {
            let reason = String(cString: PQerrorMessage(handle))
            PQfinish(handle)
            throw .unreachable(reason.split(separator: "\n").first.map(String.init) ?? "refused")
        }
        PQsetnonblocking(handle, 1)
        // Notices ("schema exists, skipping") would go to standard error as bare text.
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        self.handle = handle
    }

    deinit { PQfinish(handle) }

    func run(_ sql: SQL) throws(PostgresError) -> [Row] {
        guard isUsable else { throw .unreachable("the connection was given up") }
        if let index = sql.values.firstIndex(where: \.isUnencodable) {
            throw .refused(
                sqlState: "22000", constraint: nil, message: "value $\(index + 1) has no form")
        }
        let text = sql.text
        do {
            return try runPrepared(text, sql.values)
        } catch .refused(sqlState: "0A000", _, _) where PQtransactionStatus(handle) == PQTRANS_IDLE {
            // "cached plan must not change result type": a migration ran beside us.
            prepared = [:]
            try simple("DEALLOCATE ALL")
            return try runPrepared(text, sql.values)
        }
    }

    /// A statement of ours without values, several at once allowed.
    func simple(_ text: String) throws(PostgresError) {
        guard PQsendQuery(handle, text) == 1 else { throw broken() }
        _ = try results()
    }

    private func runPrepared(
        _ text: String, _ values: [BoundValue]
    ) throws(PostgresError) -> [Row] {
        let name = try statementName(text, values)
        let lengths = values.map { Int32($0.bytes?.count ?? 0) }
        let formats = values.map { _ in Int32(1) }
        let sent = withPointers(to: values) {
            PQsendQueryPrepared(handle, name, Int32(values.count), $0, lengths, formats, 1)
        }
        guard sent == 1 else { throw broken() }
        return try results()
    }

    private func statementName(
        _ text: String, _ values: [BoundValue]
    ) throws(PostgresError) -> String {
        let key = text + values.map { "|\($0.type)" }.joined()
        if let name = prepared[key] { return name }
        if prepared.count >= Self.preparedCountMax {
            try simple("DEALLOCATE ALL")
            prepared = [:]
        }
        let name = "s\(prepared.count)"
        guard PQsendPrepare(handle, name, text, Int32(values.count), values.map(\.type)) == 1
        else { throw broken() }
        _ = try results()
        prepared[key] = name
        return name
    }

    /// Calls `body` with one NUL-terminated buffer per value, NULL for NULL.
    private func withPointers<Result>(
        to values: [BoundValue], _ body: ([UnsafePointer<CChar>?]) -> Result
    ) -> Result {
        var flat: [UInt8] = []
        var offsets: [Int?] = []
        for value in values {
            offsets.append(value.bytes == nil ? nil : flat.count)
            flat += (value.bytes ?? []) + [0]
        }
        return flat.withUnsafeBytes { buffer in
            let start = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            return body(offsets.map { offset in offset.flatMap { offset in start.map { $0 + offset } } })
        }
    }

    /// Waits for the statement's end and gives the rows of its last result.
    private func results() throws(PostgresError) -> [Row] {
        let ended = waitForEnd()
        var rows: [Row] = []
        var failure: PostgresError?
        if isUsable {
            while let result = PQgetResult(handle) {
                defer { PQclear(result) }
                switch PQresultStatus(result) {
                case PGRES_TUPLES_OK: rows = Answers.rows(of: result)
                case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
                default: failure = failure ?? Answers.failure(of: result)
                }
            }
        }
        if PQstatus(handle) != CONNECTION_OK {
            isUsable = false
        }
        if let ended { throw ended }
        if let failure {
            if !isUsable { throw .unreachable("the connection broke") }
            throw failure
        }
        if !isUsable { throw .unreachable("the connection broke") }
        return rows
    }

    /// Nil when the server has answered; else why we did not let it.
    private func waitForEnd() -> PostgresError? {
        var outcome: PostgresError?
        var limit = deadline
        while true {
            let flushing = PQflush(handle)
            guard flushing >= 0 else { return lost() }
            if flushing == 0, PQisBusy(handle) == 0 { return outcome }
            let woken = wait(writable: flushing == 1, until: limit)
            if woken.server {
                guard PQconsumeInput(handle) == 1 else { return lost() }
                continue
            }
            if outcome != nil {
                // It did not answer the cancel either.
                isUsable = false
                return outcome
            }
            outcome = woken.interrupt ? .cancelled : .timedOut
            interrupt.clear()
            cancelOnServer()
            limit = .now + Self.cancelGrace
        }
    }

    private func wait(
        writable: Bool, until limit: ContinuousClock.Instant
    ) -> (server: Bool, interrupt: Bool) {
        let events = Int16(POLLIN) | (writable ? Int16(POLLOUT) : 0)
        var descriptors = [
            pollfd(fd: PQsocket(handle), events: events, revents: 0),
            pollfd(fd: interrupt.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        let left = ContinuousClock.now.duration(to: limit).components
        let milliseconds = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000 + 1
        _ = poll(&descriptors, 2, Int32(clamping: max(0, milliseconds)))
        return (descriptors[0].revents != 0, descriptors[1].revents != 0)
    }

    private func cancelOnServer() {
        guard let cancel = PQgetCancel(handle) else { return }
        defer { PQfreeCancel(cancel) }
        var reason = [CChar](repeating: 0, count: 256)
        _ = PQcancel(cancel, &reason, 256)
    }

    private func lost() -> PostgresError {
        isUsable = false
        return .unreachable("the connection broke")
    }

    private func broken() -> PostgresError {
        if PQstatus(handle) != CONNECTION_OK { return lost() }
        isUsable = false
        return .unreachable(String(cString: PQerrorMessage(handle)))
    }

    /// In no transaction, and nothing half-read.
    var isIdle: Bool { isUsable && PQtransactionStatus(handle) == PQTRANS_IDLE }

    /// Notifications that came, after waiting for some until `limit`. Throws when the connection
    /// breaks. An interrupt ends the wait.
    func notifications(
        until limit: ContinuousClock.Instant
    ) throws(PostgresError) -> [Notification] {
        let woken = wait(writable: false, until: limit)
        if woken.server, PQconsumeInput(handle) != 1 { throw lost() }
        var notifications: [Notification] = []
        while let notification = PQnotifies(handle) {
            defer { PQfreemem(notification) }
            notifications.append(
                Notification(
                    channel: String(cString: notification.pointee.relname),
                    payload: String(cString: notification.pointee.extra)))
        }
        return notifications
    }
}
