internal import Glibc
internal import Synchronization

private let given = Mutex<Set<Int>>([])

/// A free port of 127.0.0.1 below those that the kernel gives to outgoing connections: one of them
/// could take the port before its server has started, or while it is being restarted. Never the same
/// one twice.
package func freePort() throws -> Int {
    for _ in 0..<100 {
        let port = Int.random(in: 15_000..<32_000)
        if given.withLock({ $0.insert(port).inserted }), isFree(port) { return port }
    }
    throw CommandFailure(command: "bind", printed: "no free port")
}

func isFree(_ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var reuse: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}
