internal import CLibPQ

/// COPY in the server's text format, a piece at a time: no more is in memory than that.
///
/// Source: PostgreSQL 15, "Functions Associated with the COPY Command".
extension Wire {
    /// Sends `COPY … TO STDOUT` or `COPY … FROM STDIN`, and returns when rows may flow.
    func beginCopy(_ statement: String, _ lease: Lease) throws(PostgresError) {
        guard !isBroken else { throw .unreachable("the connection is gone") }
        if let interruption = lease.interruption { throw interruption }
        try sendScript(statement)
        try finish(lease)
        guard let result = PQgetResult(session) else { throw lost() }
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_COPY_OUT, PGRES_COPY_IN: return
        default:
            let failure = refusal(result)
            while let rest = PQgetResult(session) { PQclear(rest) }
            throw failure
        }
    }

    /// The next whole rows: at least so many bytes of them, unless they are the last.
    func copiedRows(byteCountMin: Int, _ lease: Lease) throws(PostgresError) -> CopiedRows {
        var rows: [UInt8] = []
        while rows.count < byteCountMin {
            var row: UnsafeMutablePointer<CChar>?
            let count = Int(PQgetCopyData(session, &row, 1))
            defer { PQfreemem(row) }
            switch count {
            case 1...: rows += UnsafeRawBufferPointer(start: row, count: count)
            case 0:
                try awaitSocket(lease)
                _ = try isAnswered()
            default:
                // Its end, or what the server has to say instead of more rows.
                try finish(lease)
                _ = try results()
                return CopiedRows(bytes: rows, areLast: true)
            }
        }
        return CopiedRows(bytes: rows, areLast: false)
    }

    /// Sends rows, and returns when the system has taken them.
    func sendRows(_ rows: [UInt8], _ lease: Lease) throws(PostgresError) {
        let sent = rows.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                PQputCopyData(session, $0.baseAddress, Int32($0.count))
            }
        }
        guard sent == 1 else { throw lost() }
        try awaitSending(lease)
    }

    /// Ends what was sent. Returns how many rows the server has taken.
    func endCopy(_ lease: Lease) throws(PostgresError) -> Int {
        guard PQputCopyEnd(session, nil) == 1 else { throw lost() }
        try finish(lease)
        _ = try results()
        return command.split(separator: " ").last.flatMap { Int($0) } ?? 0
    }

    private func awaitSending(_ lease: Lease) throws(PostgresError) {
        while true {
            _ = try isAnswered()
            if !isSending { return }
            try awaitSocket(lease)
        }
    }

    /// Whoever copies gives the connection up when it is interrupted: the server then rolls back.
    private func awaitSocket(_ lease: Lease) throws(PostgresError) {
        if let interruption = lease.interruption { throw interruption }
        if poll(timeout: lease.deadline - .now).wakeup { wakeup.clear() }
    }
}

/// A piece of a table, a line for each row.
struct CopiedRows: Sendable {
    let bytes: [UInt8]
    let areLast: Bool
}
