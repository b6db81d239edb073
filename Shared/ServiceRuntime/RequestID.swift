/// One request's name in every log line of every service.
package struct RequestID: Hashable, Sendable, CustomStringConvertible {
    package static let headerName = "X-Request-Id"
    private static let byteCountMax = 128

    package let description: String

    /// Keeps a caller's own id when it is sane: it ends up in logs and headers.
    package init(accepting text: String? = nil) {
        var generator = SystemRandomNumberGenerator()
        self.init(accepting: text, using: &generator)
    }

    /// - Parameter generator: what a new one is made of, a random UUID (RFC 9562, 5.4).
    package init(accepting text: String?, using generator: inout some RandomNumberGenerator) {
        if let text, Self.isSane(text) {
            description = text
            return
        }
        let high = (generator.next() as UInt64) & ~0xF000 | 0x4000
        let low = (generator.next() as UInt64) & ~(3 << 62) | 2 << 62
        description = Self.hexadecimal(high, low)
    }

    private static func hexadecimal(_ high: UInt64, _ low: UInt64) -> String {
        String(unsafeUninitializedCapacity: 36) { buffer in
            var position = 0
            for digit in 0..<32 {
                if [8, 12, 16, 20].contains(digit) {
                    buffer[position] = UInt8(ascii: "-")
                    position += 1
                }
                buffer[position] = (digit < 16 ? high : low).hexadecimalDigit(digit % 16)
                position += 1
            }
            return position
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

extension UInt64 {
    /// One of its 16 digits, the highest first, as ASCII.
    package func hexadecimalDigit(_ index: Int) -> UInt8 {
        let value = UInt8(truncatingIfNeeded: self >> UInt64(60 - index * 4) & 15)
        return value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
