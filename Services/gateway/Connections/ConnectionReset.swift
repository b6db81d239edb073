import Glibc
import NIOCore

/// Makes the next close of a connection a reset.
enum ConnectionReset {
    static func prepare(_ channel: any Channel) {
        guard let socket = channel as? any SocketOptionProvider else { return }
        _ = socket.setSoLinger(linger(l_onoff: 1, l_linger: 0))
    }
}
