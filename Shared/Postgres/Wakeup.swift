internal import CLibPQ
internal import Glibc

/// Wakes a thread that is blocked in `poll`.
final class Wakeup: Sendable {
    /// Readable once somebody signalled.
    let descriptor: Int32

    init() { descriptor = clibpq_eventfd() }

    deinit { close(descriptor) }

    func signal() {
        var one: UInt64 = 1
        // The only failure is a full counter, and that is readable too.
        _ = write(descriptor, &one, 8)
    }

    /// Forgets the signals so far.
    func clear() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }
}
