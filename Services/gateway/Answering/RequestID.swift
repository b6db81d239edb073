import FoundationEssentials

/// The name of one request, in every answer and every log line.
enum RequestID {
    private static let byteCountMax = 128

    /// The client's if it is sane, else a new one.
    static func accept(_ text: String?) -> String {
        if let text, isSane(text) { return text }
        return UUID().uuidString.lowercased()
    }

    private static func isSane(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= byteCountMax
            && text.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                    UInt8(ascii: "_"), UInt8(ascii: ":"):
                    true
                default: false
                }
            }
    }
}
