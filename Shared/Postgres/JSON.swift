internal import FoundationEssentials

/// A value kept as `jsonb`.
package struct JSON<Value: Codable & Sendable>: PostgresValue {
    package let value: Value

    package init(_ value: Value) { self.value = value }

    package static var postgresType: UInt32 { PostgresType.jsonb }

    package var postgresBytes: [UInt8]? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        // Nil makes the statement fail, saying which value it was.
        guard let text = try? encoder.encode(value) else { return nil }
        return [Self.version] + Array(text)
    }

    package init?(postgresBytes bytes: [UInt8], type: UInt32) {
        let text: ArraySlice<UInt8>
        switch type {
        case PostgresType.jsonb where bytes.first == Self.version: text = bytes.dropFirst()
        case PostgresType.json: text = bytes[...]
        default: return nil
        }
        // Nil makes reading the column fail, saying which it was.
        guard let value = try? JSONDecoder().decode(Value.self, from: Data(text)) else {
            return nil
        }
        self.value = value
    }

    /// Of jsonb's binary format.
    private static var version: UInt8 { 1 }
}
