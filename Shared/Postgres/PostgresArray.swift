package import FoundationEssentials

/// What can stand in an array: `[Int]` is `bigint[]`, and `[UInt8]` is `bytea`.
package protocol PostgresElement: Sendable {
    static var postgresArrayType: UInt32 { get }
    static func postgresBytes(of elements: [Self]) -> [UInt8]?
    static func elements(postgresBytes bytes: [UInt8], type: UInt32) -> [Self]?
}

extension Array: PostgresValue where Element: PostgresElement {
    package static var postgresType: UInt32 { Element.postgresArrayType }
    package var postgresBytes: [UInt8]? { Element.postgresBytes(of: self) }

    package init?(postgresBytes bytes: [UInt8], type: UInt32) {
        guard let elements = Element.elements(postgresBytes: bytes, type: type) else { return nil }
        self = elements
    }
}

extension UInt8: PostgresElement {
    package static var postgresArrayType: UInt32 { PostgresType.bytea }
    package static func postgresBytes(of elements: [UInt8]) -> [UInt8]? { elements }

    package static func elements(postgresBytes bytes: [UInt8], type: UInt32) -> [UInt8]? {
        type == PostgresType.bytea ? bytes : nil
    }
}

extension String: PostgresElement {
    package static var postgresArrayType: UInt32 { PostgresType.textArray }
}

extension Int: PostgresElement {
    package static var postgresArrayType: UInt32 { PostgresType.int8Array }
}

extension Float: PostgresElement {
    package static var postgresArrayType: UInt32 { PostgresType.float4Array }
}

extension Double: PostgresElement {
    package static var postgresArrayType: UInt32 { PostgresType.float8Array }
}

extension UUID: PostgresElement {
    package static var postgresArrayType: UInt32 { PostgresType.uuidArray }
}

extension PostgresElement where Self: RawRepresentable, RawValue: PostgresElement {
    package static var postgresArrayType: UInt32 { RawValue.postgresArrayType }
}

/// One dimension, no NULLs: count of dimensions, flags, element type, length, lower bound, then each
/// element's length and bytes.
extension PostgresElement where Self: PostgresValue {
    package static func postgresBytes(of elements: [Self]) -> [UInt8]? {
        var bytes = bigEndianBytes(Int32(elements.isEmpty ? 0 : 1)) + bigEndianBytes(Int32(0))
        bytes += bigEndianBytes(postgresType)
        guard !elements.isEmpty else { return bytes }
        bytes += bigEndianBytes(Int32(elements.count)) + bigEndianBytes(Int32(1))
        for element in elements {
            guard let content = element.postgresBytes else { return nil }
            bytes += bigEndianBytes(Int32(content.count))
            bytes += content
        }
        return bytes
    }

    package static func elements(postgresBytes bytes: [UInt8], type: UInt32) -> [Self]? {
        guard bytes.count >= 12 else { return nil }
        func word(_ offset: Int) -> Int {
            Int(bigEndianInteger(bytes[offset..<offset + 4], as: Int32.self))
        }
        switch word(0) {
        case 0: return []
        case 1: break
        default: return nil
        }
        guard bytes.count >= 20 else { return nil }
        let elementType = UInt32(truncatingIfNeeded: word(8))
        let count = word(12)
        // Each element takes four bytes at least: no reserving what is not there.
        guard count >= 0, count <= bytes.count / 4 else { return nil }
        var elements: [Self] = []
        elements.reserveCapacity(count)
        var offset = 20
        for _ in 0..<count {
            guard offset + 4 <= bytes.count else { return nil }
            let length = word(offset)
            offset += 4
            guard length >= 0, offset + length <= bytes.count,
                let element = Self(
                    postgresBytes: Array(bytes[offset..<offset + length]), type: elementType)
            else { return nil }
            elements.append(element)
            offset += length
        }
        return elements
    }
}
