internal import CLibPQ
internal import Glibc

typealias CStringPointer = UnsafePointer<CChar>

/// The strings as a NULL-ended array of C strings, valid during the call.
func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<CStringPointer?>) -> Result?
) -> Result? {
    var copies = strings.map { strdup($0) }
    copies.append(nil)
    defer { for copy in copies { free(copy) } }
    return copies.map { $0.map { CStringPointer($0) } }.withUnsafeBufferPointer { buffer in
        buffer.baseAddress.flatMap(body)
    }
}

/// The values as libpq takes them, all binary, valid during the call.
func withParameters<Result>(
    _ values: [BoundValue],
    _ body: (Int32, [CStringPointer?], [Int32], [Int32]) -> Result
) -> Result {
    // One buffer, so that one call keeps them all in place. Each has a byte at least: an empty value
    // must not be NULL.
    var bytes: [CChar] = []
    var offsets: [Int] = []
    for value in values {
        offsets.append(bytes.count)
        for byte in value.bytes ?? [] { bytes.append(CChar(bitPattern: byte)) }
        bytes.append(0)
    }
    return bytes.withUnsafeBufferPointer { buffer in
        let pointers = zip(values, offsets).map { value, offset in
            value.bytes == nil ? nil : buffer.baseAddress.map { $0 + offset }
        }
        return body(
            Int32(values.count), pointers, values.map { Int32($0.bytes?.count ?? 0) },
            values.map { _ in 1 })
    }
}

func decodeRows(_ result: OpaquePointer) -> [Row] {
    let columnCount = PQnfields(result)
    guard columnCount > 0 else {
        // A statement without columns may still have rows: `SELECT FROM …`.
        let columns = Row.Columns(names: [], types: [])
        return (0..<PQntuples(result)).map { _ in Row(columns: columns, cells: []) }
    }
    let columns = Row.Columns(
        names: (0..<columnCount).map { PQfname(result, $0).map { String(cString: $0) } ?? "" },
        types: (0..<columnCount).map { PQftype(result, $0) })
    return (0..<PQntuples(result)).map { row in
        Row(columns: columns, cells: (0..<columnCount).map { cell(result, row, $0) })
    }
}

private func cell(_ result: OpaquePointer, _ row: Int32, _ column: Int32) -> [UInt8]? {
    guard PQgetisnull(result, row, column) == 0, let value = PQgetvalue(result, row, column)
    else { return nil }
    let count = Int(PQgetlength(result, row, column))
    return [UInt8](UnsafeRawBufferPointer(start: value, count: count))
}
