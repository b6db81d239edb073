import Glibc
import NIOCore

/// An address of either family as 16 bytes; one of IPv4 is mapped (RFC 4291, 2.5.5.2).
struct IPAddress: Hashable, Sendable {
    private static let mappedPrefix: UInt64 = 0xFFFF

    let high: UInt64
    let low: UInt64

    /// Nil for what is no plain address: no name, no port, no zone.
    init?(_ text: some StringProtocol) {
        let text = String(text)
        var v4 = in_addr()
        var v6 = in6_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            self.init(v4)
        } else if inet_pton(AF_INET6, text, &v6) == 1 {
            self.init(v6)
        } else {
            return nil
        }
    }

    /// Nil for a Unix domain socket.
    init?(_ address: SocketAddress?) {
        guard let text = address?.ipAddress else { return nil }
        // The zone of a link-local address means something on this machine alone.
        self.init(text.prefix { $0 != "%" })
    }

    /// Nil for any other family.
    init?(_ address: UnsafePointer<sockaddr>) {
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
            let v4 = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self)
            self.init(v4.sin_addr)
        case AF_INET6:
            self.init(UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in6.self).sin6_addr)
        default: return nil
        }
    }

    private init(_ address: in_addr) {
        let word = UInt64(UInt32(bigEndian: address.s_addr))
        self.init(high: 0, low: Self.mappedPrefix << 32 | word)
    }

    private init(_ address: in6_addr) {
        let words = withUnsafeBytes(of: address) { bytes in
            (
                UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
        self.init(high: words.0, low: words.1)
    }

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    var isV4: Bool { high == 0 && low >> 32 == Self.mappedPrefix }

    /// What limits count by: a subscriber of IPv6 has a network of 2⁶⁴ addresses.
    var subscriber: IPAddress { isV4 ? self : IPAddress(high: high, low: 0) }

    /// The first bits alone.
    func masked(bitCount: Int) -> IPAddress {
        func mask(_ count: Int) -> UInt64 { count <= 0 ? 0 : ~0 << UInt64(64 - min(count, 64)) }
        return IPAddress(high: high & mask(bitCount), low: low & mask(bitCount - 64))
    }
}

extension IPAddress: Comparable {
    static func < (one: IPAddress, other: IPAddress) -> Bool {
        (one.high, one.low) < (other.high, other.low)
    }
}

extension IPAddress: CustomStringConvertible {
    /// As RFC 5952 writes it.
    var description: String {
        if isV4 { return Self.v4(low) }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        var words = (high.bigEndian, low.bigEndian)
        inet_ntop(AF_INET6, &words, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Four numbers, without the C library's `printf`: each request needs it thrice.
    private static func v4(_ word: UInt64) -> String {
        String(unsafeUninitializedCapacity: 15) { buffer in
            var count = 0
            for shift: UInt64 in [24, 16, 8, 0] {
                let number = UInt8(truncatingIfNeeded: word >> shift)
                if number >= 100 {
                    buffer[count] = UInt8(ascii: "0") + number / 100
                    count += 1
                }
                if number >= 10 {
                    buffer[count] = UInt8(ascii: "0") + number / 10 % 10
                    count += 1
                }
                buffer[count] = UInt8(ascii: "0") + number % 10
                count += 1
                if shift > 0 {
                    buffer[count] = UInt8(ascii: ".")
                    count += 1
                }
            }
            return count
        }
    }
}

/// An address or a network, `10.0.0.0/8`.
struct IPNetwork: Hashable, Sendable {
    private let first: IPAddress
    private let bitCount: Int

    /// Nil unless it is an address with an optional number of leading bits.
    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let address = IPAddress(parts[0]) else { return nil }
        let width = address.isV4 ? 32 : 128
        var bitCount = width
        if parts.count == 2 {
            guard let number = Int(parts[1]), (0...width).contains(number) else { return nil }
            bitCount = number
        }
        self.bitCount = bitCount + 128 - width
        first = address.masked(bitCount: self.bitCount)
    }

    func contains(_ address: IPAddress) -> Bool { address.masked(bitCount: bitCount) == first }
}
