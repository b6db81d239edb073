/// One row of an answer. Columns are read by name.
package struct Row: Sendable {
    let columns: Columns
    let cells: [[UInt8]?]

    /// Of all rows of one answer.
    final class Columns: Sendable {
        let indexes: [String: Int]
        let types: [UInt32]

        init(names: [String], types: [UInt32]) {
            // Two columns of one name: the first is found, as in a join's `SELECT *`.
            indexes = Dictionary(zip(names, names.indices), uniquingKeysWith: { first, _ in first })
            self.types = types
        }
    }

    /// What a column holds. NULL is an error.
    package func get<Value: PostgresValue>(
        _ column: String, as: Value.Type = Value.self
    ) throws(PostgresError) -> Value {
        guard let value = try find(column, as: Value.self) else {
            throw .undecodable(column: column)
        }
        return value
    }

    /// What a column holds; nil when it is NULL.
    package func find<Value: PostgresValue>(
        _ column: String, as: Value.Type = Value.self
    ) throws(PostgresError) -> Value? {
        guard let index = columns.indexes[column] else { throw .undecodable(column: column) }
        guard let bytes = cells[index] else { return nil }
        guard let value = Value(postgresBytes: bytes, type: columns.types[index]) else {
            throw .undecodable(column: column)
        }
        return value
    }
}
