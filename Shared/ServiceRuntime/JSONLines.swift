import Logging

/// Builds JSON objects as text, one a line, their fields in the order of adding.
package struct JSONLines {
    /// A field longer than this is cut: a log line is a fact, not a document.
    static let fieldCharacterCountMax = 2000

    package private(set) var bytes: [UInt8] = []
    private var isFirst = true

    package init() {}

    package mutating func begin() {
        bytes.append(UInt8(ascii: "{"))
        isFirst = true
    }

    package mutating func end() {
        bytes.append(UInt8(ascii: "}"))
        bytes.append(UInt8(ascii: "\n"))
    }

    package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    package mutating func add(_ name: String, _ value: String) {
        begin(name)
        append(quoted: value)
    }

    package mutating func add(_ name: String, _ value: some BinaryInteger) {
        add(name, String(value))
    }

    package mutating func add(_ name: String, _ value: LogTime) {
        begin(name)
        bytes.append(UInt8(ascii: "\""))
        value.append(to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func add(_ name: String, _ value: Logger.MetadataValue) {
        begin(name)
        append(value)
    }

    private mutating func begin(_ name: String) {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
        append(quoted: name)
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func append(_ value: Logger.MetadataValue) {
        switch value {
        case .string(let string): append(quoted: string)
        case .stringConvertible(let value): append(quoted: value.description)
        case .array(let values):
            append("[")
            for (index, value) in values.enumerated() {
                if index > 0 { append(",") }
                append(value)
            }
            append("]")
        case .dictionary(let fields):
            append("{")
            for (index, field) in fields.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { append(",") }
                append(quoted: field.key)
                append(":")
                append(field.value)
            }
            append("}")
        @unknown default: append(quoted: value.description)
        }
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func append(quoted string: String) {
        bytes.append(UInt8(ascii: "\""))
        if !appendPlain(string) {
            for scalar in string.unicodeScalars.prefix(Self.fieldCharacterCountMax) {
                append(escaped: scalar)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// False, and nothing done, if it is not all plain: nearly all that is logged is.
    private mutating func appendPlain(_ string: String) -> Bool {
        let isAppended = string.utf8.withContiguousStorageIfAvailable { text in
            guard text.count <= Self.fieldCharacterCountMax else { return false }
            for byte in text where !Self.isPlain(byte) { return false }
            bytes.append(contentsOf: text)
            return true
        }
        return isAppended ?? false
    }

    /// Stands for itself in a JSON string (RFC 8259, section 7).
    @inline(__always)
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    private mutating func append(escaped scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": append("\\\"")
        case "\\": append("\\\\")
        case "\n": append("\\n")
        case "\r": append("\\r")
        case "\t": append("\\t")
        case _ where scalar.value < 0x20 || scalar.value == 0x7F:
            let hex = String(scalar.value, radix: 16)
            append("\\u" + String(repeating: "0", count: 4 - hex.count) + hex)
        default: append(String(scalar))
        }
    }
}
