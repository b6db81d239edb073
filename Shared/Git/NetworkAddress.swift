// The headers of sockets are seen through it, now that the module imports it at all.
import CLibCurl
import Glibc

/// An address of IPv4 or IPv6, and whether everybody can reach it.
struct NetworkAddress: Hashable {
    /// Four, or sixteen.
    let bytes: [UInt8]

    /// False for what IANA's registries of special-purpose addresses call not globally reachable
    /// (RFC 6890), and for IPv6 addresses that stand for such an IPv4 one.
    var isPublic: Bool {
        if bytes.count == 4 { return !Self.specialIPv4.contains { $0.contains(bytes) } }
        guard bytes.count == 16 else { return false }
        if Self.ipv4InIPv6.contains(where: { $0.contains(bytes) }) {
            return NetworkAddress(bytes: Array(bytes[12...])).isPublic
        }
        // 6to4 (RFC 3056) has its IPv4 address behind the prefix.
        if bytes[0] == 0x20, bytes[1] == 0x02 {
            return NetworkAddress(bytes: Array(bytes[2..<6])).isPublic
        }
        // All global unicast addresses begin with 001, but for those for documentation.
        return bytes[0] & 0xE0 == 0x20 && !Block([0x20, 0x01, 0x0D, 0xB8], 32).contains(bytes)
    }

    private struct Block {
        let prefix: [UInt8]
        let bitCount: Int

        init(_ prefix: [UInt8], _ bitCount: Int) {
            self.prefix = prefix
            self.bitCount = bitCount
        }

        func contains(_ bytes: [UInt8]) -> Bool {
            (0..<bitCount).allSatisfy { bit in
                let mask = UInt8(0x80) >> UInt8(bit % 8)
                let wanted = bit / 8 < prefix.count ? prefix[bit / 8] : 0
                return bytes[bit / 8] & mask == wanted & mask
            }
        }
    }

    private static let specialIPv4 = [
        Block([0], 8), Block([10], 8), Block([100, 64], 10), Block([127], 8),
        Block([169, 254], 16),
        Block([172, 16], 12), Block([192, 0, 0], 24), Block([192, 0, 2], 24),
        Block([192, 168], 16), Block([198, 18], 15), Block([198, 51, 100], 24),
        Block([203, 0, 113], 24), Block([224], 3),
    ]

    /// Mapped (RFC 4291) and translated (RFC 6052).
    private static let ipv4InIPv6 = [
        Block([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], 96),
        Block([0, 0x64, 0xFF, 0x9B], 96),
    ]

    /// All that a host's name stands for.
    ///
    /// - Parameter host: a name or an address, perhaps with a port.
    static func all(of host: String) throws(GitFailure) -> [NetworkAddress] {
        let name =
            host.hasPrefix("[")
            ? host.dropFirst().prefix { $0 != "]" } : host.prefix { $0 != ":" }
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(String(name), nil, nil, &list) == 0 else { throw .unreachable }
        defer { freeaddrinfo(list) }
        var addresses: [NetworkAddress] = []
        var next = list
        while let entry = next {
            if let address = entry.pointee.ai_addr.flatMap(NetworkAddress.init) {
                addresses.append(address)
            }
            next = entry.pointee.ai_next
        }
        guard !addresses.isEmpty else { throw .unreachable }
        return addresses
    }

    /// Those that this process has connections to. A child that works for one remote has no others.
    static func peers() -> [NetworkAddress] {
        (0..<descriptorCountMax).compactMap { descriptor in
            var storage = sockaddr_storage()
            var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
            return withUnsafeMutablePointer(to: &storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    getpeername(descriptor, address, &size) == 0 ? NetworkAddress(address) : nil
                }
            }
        }
    }

    /// As many files as the child may open.
    private static let descriptorCountMax: Int32 = 512

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// Nil for an address of another family.
    init?(_ address: UnsafeMutablePointer<sockaddr>) {
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
            bytes = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self).sin_addr.bytes
        case AF_INET6:
            bytes = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in6.self).sin6_addr.bytes
        default: return nil
        }
    }
}

extension in_addr {
    fileprivate var bytes: [UInt8] { withUnsafeBytes(of: self, Array.init) }
}

extension in6_addr {
    fileprivate var bytes: [UInt8] { withUnsafeBytes(of: self, Array.init) }
}
