import Glibc
internal import CLibPQ

/// Wakes a connection's thread out of its wait for the server, from any other thread.
///
/// The thread itself then cancels the statement, so a cancel can never hit the next statement.
final class Interrupt: Sendable {
    let descriptor: Int32

    init() throws(PostgresError) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        if descriptor < 0 { throw .unreachable("no file descriptor left") }
    }

    deinit { close(descriptor) }

    func request() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    /// Forgets what was requested before.
    func clear() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }
}
