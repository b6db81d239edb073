package import NIOCore

extension ByteBuffer {
    /// A text as JSON has it (RFC 8259, 7), in quotation marks.
    package mutating func writeJSONString(_ text: String) {
        writeInteger(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { bytes in
            var start = 0
            for (index, byte) in bytes.enumerated() {
                guard let escape = Self.escape(byte) else { continue }
                writeBytes(bytes[start..<index])
                writeString(escape)
                start = index + 1
            }
            writeBytes(bytes[start...])
        }
        writeInteger(UInt8(ascii: "\""))
    }

    private static func escape(_ byte: UInt8) -> String? {
        switch byte {
        case 0x22: "\\\""
        case 0x5C: "\\\\"
        case 0x0A: "\\n"
        case 0x0D: "\\r"
        case 0x09: "\\t"
        case ..<0x10: "\\u000" + String(byte, radix: 16)
        case ..<0x20: "\\u00" + String(byte, radix: 16)
        default: nil
        }
    }
}
