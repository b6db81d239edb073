import Logging

/// Builds one JSON object as text, in the order of adding.
struct JSONLine {
    private var text = "{"

    mutating func add(_ name: String, _ value: String) {
        begin(name)
        append(quoted: value)
    }

    mutating func add(_ name: String, _ value: Logger.MetadataValue) {
        begin(name)
        append(value)
    }

    consuming func finish() -> [UInt8] { Array((text + "}\n").utf8) }

    private mutating func begin(_ name: String) {
        if text.utf8.count > 1 { text += "," }
        append(quoted: name)
        text += ":"
    }

    private mutating func append(_ value: Logger.MetadataValue) {
        switch value {
        case .string(let string): append(quoted: string)
        case .stringConvertible(let value): append(quoted: value.description)
        case .array(let values):
            text += "["
            for (index, value) in values.enumerated() {
                if index > 0 { text += "," }
                append(value)
            }
            text += "]"
        case .dictionary(let fields):
            text += "{"
            for (index, field) in fields.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { text += "," }
                append(quoted: field.key)
                text += ":"
                append(field.value)
            }
            text += "}"
        @unknown default: append(quoted: value.description)
        }
    }

    private mutating func append(quoted string: String) {
        text += "\""
        for scalar in string.unicodeScalars.prefix(JSONLog.fieldCharacterCountMax) {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let hex = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
