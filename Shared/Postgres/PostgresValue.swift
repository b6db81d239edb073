package import FoundationEssentials

/// A type that a statement can be given and a row can hold, in the server's binary format.
package protocol PostgresValue: Sendable {
    /// The server's number (OID) of the type that is sent.
    static var postgresType: UInt32 { get }
    /// Nil when this value cannot be sent.
    var postgresBytes: [UInt8]? { get }
    /// Nil when a column of this type does not hold such a value.
    init?(postgresBytes bytes: [UInt8], type: UInt32)
}

/// The server's numbers of the types we use (`pg_type.oid`).
enum PostgresType {
    static let bool: UInt32 = 16
    static let bytea: UInt32 = 17
    static let char: UInt32 = 18
    static let name: UInt32 = 19
    static let int8: UInt32 = 20
    static let int2: UInt32 = 21
    static let int4: UInt32 = 23
    static let text: UInt32 = 25
    static let oid: UInt32 = 26
    static let json: UInt32 = 114
    static let float4: UInt32 = 700
    static let float8: UInt32 = 701
    static let unknown: UInt32 = 705
    static let float4Array: UInt32 = 1021
    static let int4Array: UInt32 = 1007
    static let textArray: UInt32 = 1009
    static let int8Array: UInt32 = 1016
    static let bpchar: UInt32 = 1042
    static let varchar: UInt32 = 1043
    static let timestamp: UInt32 = 1114
    static let timestamptz: UInt32 = 1184
    static let numeric: UInt32 = 1700
    static let uuid: UInt32 = 2950
    static let uuidArray: UInt32 = 2951
    static let jsonb: UInt32 = 3802
    static let float8Array: UInt32 = 1022
}

extension String: PostgresValue {
    package static var postgresType: UInt32 { PostgresType.text }
    package var postgresBytes: [UInt8]? { Array(utf8) }

    package init?(postgresBytes bytes: [UInt8], type: UInt32) {
        switch type {
        case PostgresType.text, PostgresType.varchar, PostgresType.bpchar, PostgresType.name,
            PostgresType.char, PostgresType.json, PostgresType.unknown:
            self.init(decoding: bytes, as: UTF8.self)
        case PostgresType.jsonb:
            // One byte of version stands before the text.
            self.init(decoding: bytes.dropFirst(), as: UTF8.self)
        default: return nil
        }
    }
}

extension Int: PostgresValue {
    package static var postgresType: UInt32 { PostgresType.int8 }
    package var postgresBytes: [UInt8]? { bigEndianBytes(Int64(self)) }

    package init?(postgresBytes bytes: [UInt8], type: UInt32) {
        switch (type, bytes.count) {
        case (PostgresType.int8, 8): self.init(bigEndianInteger(bytes, as: Int64.self))
        case (PostgresType.int4, 4): self.init(bigEndianInteger(bytes, as: Int32.self))
        case (PostgresType.int2, 2): self.init(bigEndianInteger(bytes, as: Int16.self))
        case (PostgresType.oid, 4): self.init(bigEndianInteger(bytes, as: UInt32.self))
        case (PostgresType.numeric, _):
            guard let number = Numeric(bytes)?.double else { return nil }
            self.init(exactly: number)
        default: return nil
        }
    }
}

extension Int32: PostgresValue {
    package static var postgresType: UInt32 { PostgresType.int4 }
    package var postgresBytes: [UInt8]? { bigEndianBytes(self) }

    package init?(postgresBytes bytes: [UInt8], type: UInt32) {
        guard let number = Int(postgresBytes: bytes, type: type) else { return nil }
        self.init(exactly: number)
    }
}

extension Bool: PostgresValue {
    package static var postgresType: UInt32 { PostgresType.bool }
    package var postgresBytes: [UInt8]? { [self ? 1 : 0] }

    package init?(postgresBytes bytes: [UInt8], type: UInt32) {
        guard type == PostgresType.bool, bytes.count == 1 else { return nil }
        self = bytes[0] != 0
    }
}

extension Double: PostgresValue {
    package static var postgresType: UInt32 { PostgresType.float8 }
    package var postgresBytes: [UInt8]? { bigEndianBytes(bitPattern) }

    package init?(postgresBytes bytes: [UInt8], type: UInt32) {
        switch (type, bytes.count) {
        case (PostgresType.float8, 8):
            self.init(bitPattern: bigEndianInteger(bytes, as: UInt64.self))
        case (PostgresType.float4, 4):
            self.init(Float(bitPattern: bigEndianInteger(bytes, as: UInt32.self)))
        case (PostgresType.numeric, _):
            guard let number = Numeric(bytes)?.double else { return nil }
            self = number
        default:
            guard let number = Int(postgresBytes: bytes, type: type) else { return nil }
            self.init(number)
        }
    }
}

extension Float: PostgresValue {
    package static var postgresType: UInt32 { PostgresType.float4 }
    package var postgresBytes: [UInt8]? { bigEndianBytes(bitPattern) }

    package init?(postgresBytes bytes: [UInt8], type: UInt32) {
        guard type == PostgresType.float4, bytes.count == 4 else { return nil }
        self.init(bitPattern: bigEndianInteger(bytes, as: UInt32.self))
    }
}

extension UUID: PostgresValue {
    package static var postgresType: UInt32 { PostgresType.uuid }
    package var postgresBytes: [UInt8]? { withUnsafeBytes(of: uuid) { Array($0) } }

    package init?(postgresBytes bytes: [UInt8], type: UInt32) {
        guard type == PostgresType.uuid, bytes.count == 16 else { return nil }
        self.init(uuid: bytes.withUnsafeBytes { $0.loadUnaligned(as: uuid_t.self) })
    }
}

/// Kept to the microsecond, as the server does.
extension Date: PostgresValue {
    /// 2000-01-01 UTC, the server's zero, in seconds since Foundation's, 2001-01-01.
    private static let epoch: Double = -366 * 86_400

    package static var postgresType: UInt32 { PostgresType.timestamptz }
    package var postgresBytes: [UInt8]? {
        let microseconds = (timeIntervalSinceReferenceDate - Self.epoch) * 1_000_000
        guard let whole = Int64(exactly: microseconds.rounded()) else { return nil }
        return bigEndianBytes(whole)
    }

    package init?(postgresBytes bytes: [UInt8], type: UInt32) {
        guard type == PostgresType.timestamptz || type == PostgresType.timestamp,
            bytes.count == 8
        else { return nil }
        let microseconds = bigEndianInteger(bytes, as: Int64.self)
        // The ends of the scale are the server's infinities.
        guard microseconds != .max, microseconds != .min else { return nil }
        self.init(
            timeIntervalSinceReferenceDate: Double(microseconds) / 1_000_000 + Self.epoch)
    }
}

extension PostgresValue where Self: RawRepresentable, RawValue: PostgresValue {
    package static var postgresType: UInt32 { RawValue.postgresType }
    package var postgresBytes: [UInt8]? { rawValue.postgresBytes }

    package init?(postgresBytes bytes: [UInt8], type: UInt32) {
        guard let rawValue = RawValue(postgresBytes: bytes, type: type) else { return nil }
        self.init(rawValue: rawValue)
    }
}

func bigEndianBytes(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.bigEndian) { Array($0) }
}

/// The caller has counted the bytes.
func bigEndianInteger<Number: FixedWidthInteger>(
    _ bytes: some Sequence<UInt8>, as: Number.Type
) -> Number {
    var number: Number = 0
    for byte in bytes { number = number << 8 | Number(truncatingIfNeeded: byte) }
    return number
}
