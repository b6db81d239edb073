import Glibc
import NIOCore
import NIOPosix

/// Turns a host's name into its addresses.
typealias NameResolver = @Sendable (String) async throws -> [IPAddress]

/// Why a name has no address, as the system puts it.
struct NameError: Error, CustomStringConvertible {
    let description: String
}

/// The system's resolver: DNS and the hosts file. It cannot be told to stop, so it waits on one of NIO's
/// spare threads.
@Sendable func resolveBySystem(_ host: String) async throws -> [IPAddress] {
    try await NIOThreadPool.singleton.runIfActive {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &first)
        guard code == 0 else { throw NameError(description: String(cString: gai_strerror(code))) }
        defer { freeaddrinfo(first) }
        var addresses: [IPAddress] = []
        var next = first
        while let one = next?.pointee {
            if let address = IPAddress(one.ai_addr), !addresses.contains(address) {
                addresses.append(address)
            }
            next = one.ai_next
        }
        return addresses
    }
}
