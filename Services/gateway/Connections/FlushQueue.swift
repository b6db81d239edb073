import NIOCore

/// Connections with something to send, each flushed once when the event loop has looked at all that
/// is ready.
///
/// Whoever waits at the other end of several of them is woken once, instead of going back to sleep
/// between two. Only touched on its event loop.
final class FlushQueue {
    private let eventLoop: any EventLoop
    private var connections: [any FlushedLater] = []

    init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func add(_ connection: any FlushedLater) {
        if connection.isFlushDue { return }
        connection.isFlushDue = true
        connections.append(connection)
        guard connections.count == 1 else { return }
        let queue = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.execute { queue.value.flushAll() }
    }

    private func flushAll() {
        let due = connections
        connections.removeAll(keepingCapacity: true)
        for connection in due {
            connection.isFlushDue = false
            connection.flushNow()
        }
    }
}

/// Whatever has written and not flushed.
protocol FlushedLater: AnyObject {
    /// It is in the queue.
    var isFlushDue: Bool { get set }
    func flushNow()
}
