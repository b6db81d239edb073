/// A statement and the values bound to it.
///
/// Interpolation never pastes text: `"WHERE id = \(id)"` is `WHERE id = $1` and one value. Another
/// statement is spliced in by `\(sql: …)`; its values are renumbered.
package struct SQL: Sendable, ExpressibleByStringInterpolation {
    /// Text between the values: always one more than there are values.
    var literals: [String]
    var values: [BoundValue]

    package init(stringLiteral text: String) {
        literals = [text]
        values = []
    }

    package init(stringInterpolation parts: Interpolation) {
        literals = parts.literals
        values = parts.values
    }

    package struct Interpolation: StringInterpolationProtocol {
        var literals = [""]
        var values: [BoundValue] = []

        package init(literalCapacity: Int, interpolationCount: Int) {
            literals.reserveCapacity(interpolationCount + 1)
            values.reserveCapacity(interpolationCount)
        }

        package mutating func appendLiteral(_ literal: String) {
            literals[literals.count - 1] += literal
        }

        package mutating func appendInterpolation<Value: PostgresValue>(_ value: Value) {
            bind(BoundValue(value))
        }

        /// Nil is NULL, of the value's type.
        package mutating func appendInterpolation<Value: PostgresValue>(_ value: Value?) {
            bind(value.map { BoundValue($0) } ?? BoundValue(nullOf: Value.self))
        }

        package mutating func appendInterpolation(sql fragment: SQL) {
            literals[literals.count - 1] += fragment.literals[0]
            for (value, literal) in zip(fragment.values, fragment.literals.dropFirst()) {
                bind(value)
                appendLiteral(literal)
            }
        }

        private mutating func bind(_ value: BoundValue) {
            values.append(value)
            literals.append("")
        }
    }

    /// As the server reads it: `$1`, `$2` … where the values stand.
    package var text: String {
        var text = literals[0]
        for (index, literal) in literals.dropFirst().enumerated() {
            text += "$\(index + 1)"
            text += literal
        }
        return text
    }

    /// Fragments one after the other, with text between them.
    package static func joined(_ fragments: [SQL], by separator: SQL) -> SQL {
        guard var joined = fragments.first else { return "" }
        for fragment in fragments.dropFirst() {
            joined = "\(sql: joined)\(sql: separator)\(sql: fragment)"
        }
        return joined
    }
}

/// A value as it goes over the wire.
struct BoundValue: Sendable {
    let type: UInt32
    /// Nil is NULL.
    let bytes: [UInt8]?
    /// The value has no form that the server would take.
    let isUnencodable: Bool

    init(_ value: some PostgresValue) {
        type = Swift.type(of: value).postgresType
        bytes = value.postgresBytes
        isUnencodable = bytes == nil
    }

    init<Value: PostgresValue>(nullOf: Value.Type) {
        type = Value.postgresType
        bytes = nil
        isUnencodable = false
    }
}
