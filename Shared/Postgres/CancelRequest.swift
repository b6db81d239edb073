internal import CLibPQ
internal import Dispatch
internal import Synchronization

/// Asks the server, over a connection of its own, to stop what a session runs.
///
/// libpq's call blocks for as long as the network makes it, so it is made on another thread.
final class CancelRequest: Sendable {
    private let sent = Atomic(false)

    /// Whether the server has taken the request, or it has failed.
    var isSent: Bool { sent.load(ordering: .acquiring) }

    /// Nil when too many are waiting for the server already, or there is no memory.
    init?(_ session: OpaquePointer, _ permits: CancelPermits) {
        guard permits.take() else { return nil }
        guard let request = PQgetCancel(session) else {
            permits.giveBack()
            return nil
        }
        let address = UInt(bitPattern: request)
        // A queue of its own has a thread of its own: those of the shared pool are everybody's.
        DispatchQueue(label: "postgres.cancel").async {
            let request = OpaquePointer(bitPattern: address)
            var reason = [CChar](repeating: 0, count: 256)
            PQcancel(request, &reason, 256)
            PQfreeCancel(request)
            permits.giveBack()
            self.sent.store(true, ordering: .releasing)
        }
    }
}

/// How many requests of a pool may be open: a server that takes them and never answers holds a
/// thread and a socket for each.
final class CancelPermits: Sendable {
    static let countMax = 16
    private let openCount = Atomic(0)

    func take() -> Bool {
        if openCount.add(1, ordering: .relaxed).newValue <= Self.countMax { return true }
        giveBack()
        return false
    }

    func giveBack() { openCount.subtract(1, ordering: .relaxed) }
}
