import NIOCore
import Synchronization

/// The frames of one answer so far. Its maker appends; any number of viewers read from the start
/// and then go on live, each at its own pace. What it may hold is bounded by what an answer may.
final class EventLog: Sendable {
    private struct State {
        var frames: [ByteBuffer] = []
        var isClosed = false
        var nextWaiter = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private enum Reading {
        case frame(ByteBuffer)
        case end
        case nothingYet
    }

    private let state = Mutex(State())

    func append(_ event: AnswerEvent) throws {
        let waiters = try state.withLock { state in
            if state.isClosed { return [CheckedContinuation<Void, Never>]() }
            state.frames.append(try event.frame(id: state.frames.count + 1))
            return Self.takeWaiters(&state)
        }
        for waiter in waiters { waiter.resume() }
    }

    func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            return Self.takeWaiters(&state)
        }
        for waiter in waiters { waiter.resume() }
    }

    var frames: Frames { Frames(log: self) }

    /// One viewer's way through the log.
    struct Frames: AsyncSequence, Sendable {
        typealias Element = ByteBuffer
        let log: EventLog

        struct AsyncIterator: AsyncIteratorProtocol {
            let log: EventLog
            var position = 0

            mutating func next() async throws -> ByteBuffer? {
                guard let frame = try await log.frame(at: position) else { return nil }
                position += 1
                return frame
            }
        }

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator(log: log) }
    }

    private func frame(at position: Int) async throws -> ByteBuffer? {
        while true {
            try Task.checkCancellation()
            switch read(position) {
            case .frame(let frame): return frame
            case .end: return nil
            case .nothingYet: await waitForMore(than: position)
            }
        }
    }

    private func read(_ position: Int) -> Reading {
        state.withLock { state in
            if position < state.frames.count { return .frame(state.frames[position]) }
            return state.isClosed ? .end : .nothingYet
        }
    }

    private func waitForMore(than position: Int) async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.isClosed || position < state.frames.count || Task.isCancelled {
                        return true
                    }
                    state.waiters[id] = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
            waiter?.resume()
        }
    }

    private static func takeWaiters(
        _ state: inout State
    ) -> [CheckedContinuation<Void, Never>] {
        let waiters = Array(state.waiters.values)
        state.waiters = [:]
        return waiters
    }
}
