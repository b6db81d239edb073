import FoundationEssentials

/// One request's name in every log line of every service.
package struct RequestID: Hashable, Sendable, CustomStringConvertible {
    package static let headerName = "X-Request-Id"
    private static let byteCountMax = 128

    package let description: String

    /// Keeps a caller's own id when it is sane: it ends up in logs and headers.
    package init(accepting text: String? = nil) {
        if let text, Self.isSane(text) {
            description = text
        } else {
            description = UUID().uuidString.lowercased()
        }
    }

    private static func isSane(_ text: String) -> Bool {
        (1...byteCountMax).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                    UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}
