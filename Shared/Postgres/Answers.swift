internal import CLibPQ

/// libpq's results as values of ours.
enum Answers {
    static func rows(of result: OpaquePointer) -> [Row] {
        let fields = 0..<PQnfields(result)
        let columns = Row.Columns(
            names: fields.map { String(cString: PQfname(result, $0)) },
            types: fields.map { PQftype(result, $0) })
        return (0..<PQntuples(result)).map { row in
            Row(columns: columns, cells: fields.map { cell(of: result, row, $0) })
        }
    }

    static func failure(of result: OpaquePointer) -> PostgresError {
        // The fields' codes are letters: 'C' SQLSTATE, 'n' constraint, 'M' message.
        func field(_ letter: Character) -> String? {
            letter.asciiValue.flatMap { PQresultErrorField(result, Int32($0)) }
                .map { String(cString: $0) }
        }
        let state = field("C") ?? ""
        // 57P0x: the server is shutting down or ended our session.
        if state.hasPrefix("57P") { return .unreachable("the server ended the connection") }
        return .refused(
            sqlState: state, constraint: field("n"),
            message: field("M") ?? String(cString: PQresultErrorMessage(result)))
    }

    private static func cell(
        of result: OpaquePointer, _ row: Int32, _ column: Int32
    ) -> [UInt8]? {
        guard PQgetisnull(result, row, column) == 0, let value = PQgetvalue(result, row, column)
        else { return nil }
        let count = Int(PQgetlength(result, row, column))
        return value.withMemoryRebound(to: UInt8.self, capacity: count) {
            Array(UnsafeBufferPointer(start: $0, count: count))
        }
    }
}
