import Database
import Domain
import NIOCore
import Synchronization

/// The frames of one answer so far. Its maker appends; any number of viewers read from where they
/// want and then go on live, each at its own pace. What it may hold is bounded by what an answer may.
///
/// A frame's id is its place, counted from 1.
final class EventLog: Sendable {
    private struct State {
        var frames: [ByteBuffer] = []
        /// Those that Postgres has, from the first on.
        var savedCount = 0
        var unsavedByteCount = 0
        /// When Postgres last took something, or had everything.
        var savedAt = ContinuousClock.now
        /// Its end is being kept, and with it everything.
        var isEnding = false
        var isClosed = false
        /// Times that whoever waits was told that there is nothing.
        var silenceCount = 0
        var nextWaiter = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private enum Reading {
        case frame(ByteBuffer)
        case end
        case nothingYet(silenceCount: Int)
    }

    private let state = Mutex(State())

    func append(_ event: AnswerEvent) throws {
        let waiters = try state.withLock { state in
            try Self.append(event.frame(id: state.frames.count + 1), to: &state)
            return Self.takeWaiters(&state)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// The last of what `ending(with:)` numbered.
    func append(_ frames: [ByteBuffer]) {
        let waiters = state.withLock { state in
            for frame in frames { Self.append(frame, to: &state) }
            return Self.takeWaiters(&state)
        }
        for waiter in waiters { waiter.resume() }
    }

    private static func append(_ frame: ByteBuffer, to state: inout State) {
        if state.isClosed { return }
        if state.unsavedByteCount == 0 { state.savedAt = .now }
        state.frames.append(frame)
        state.unsavedByteCount += frame.readableBytes
    }

    func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            return Self.takeWaiters(&state)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Whoever waits is told that there is nothing yet.
    func tellSilence() {
        let waiters = state.withLock { state in
            state.silenceCount += 1
            return Self.takeWaiters(&state)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// All frames there will have been once these events are appended, which they are not yet. From here
    /// on nothing is saved piece by piece any more: whoever asks keeps the whole.
    func ending(with events: [AnswerEvent]) throws -> (
        last: [ByteBuffer], whole: String, count: Int
    ) {
        let frames = state.withLock { state in
            state.isEnding = true
            return state.frames
        }
        var last: [ByteBuffer] = []
        for event in events { last.append(try event.frame(id: frames.count + last.count + 1)) }
        let whole = frames + last
        return (last, Self.joined(whole), whole.count)
    }
}

/// What Postgres does not have yet.
extension EventLog {
    /// How much, and since when Postgres took nothing.
    var unsaved: (byteCount: Int, since: ContinuousClock.Instant) {
        state.withLock { ($0.isEnding ? 0 : $0.unsavedByteCount, $0.savedAt) }
    }

    /// Nil when it has everything, or is getting it with the end.
    func unsaved(of message: Message.ID) -> StreamStore.Piece? {
        let (savedCount, unsaved) = state.withLock { state in
            (
                state.savedCount,
                state.isEnding ? [] : Array(state.frames[state.savedCount...])
            )
        }
        if unsaved.isEmpty { return nil }
        return StreamStore.Piece(
            message: message, firstID: savedCount + 1, lastID: savedCount + unsaved.count,
            frames: Self.joined(unsaved))
    }

    /// Postgres has everything up to this id.
    func markSaved(through id: Int) {
        state.withLock { state in
            guard id > state.savedCount else { return }
            for frame in state.frames[state.savedCount..<id] {
                state.unsavedByteCount -= frame.readableBytes
            }
            state.savedCount = id
            state.savedAt = .now
        }
    }

    private static func joined(_ frames: [ByteBuffer]) -> String {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(frames.reduce(0) { $0 + $1.readableBytes })
        for frame in frames { bytes.writeImmutableBuffer(frame) }
        return String(buffer: bytes)
    }
}

/// Viewers.
extension EventLog {
    /// From the first on that has a greater id.
    func frames(after id: Int = 0) -> Frames { Frames(log: self, position: id) }

    /// One viewer's way through the log.
    struct Frames: AsyncSequence, Sendable {
        typealias Element = ByteBuffer
        let log: EventLog
        let position: Int

        struct AsyncIterator: AsyncIteratorProtocol {
            let log: EventLog
            var position: Int

            mutating func next() async throws -> ByteBuffer? {
                guard let frame = try await log.frame(at: position) else { return nil }
                if frame.readableBytes > 0 { position += 1 }
                return frame
            }
        }

        func makeAsyncIterator() -> AsyncIterator {
            AsyncIterator(log: log, position: position)
        }
    }

    /// Nil at the end; empty when there was nothing for a while.
    private func frame(at position: Int) async throws -> ByteBuffer? {
        var before: Int?
        while true {
            try Task.checkCancellation()
            switch read(position) {
            case .frame(let frame): return frame
            case .end: return nil
            case .nothingYet(let silenceCount):
                if let before, before < silenceCount { return ByteBuffer() }
                before = silenceCount
                await waitForMore(than: position, since: silenceCount)
            }
        }
    }

    private func read(_ position: Int) -> Reading {
        state.withLock { state in
            if position < state.frames.count { return .frame(state.frames[position]) }
            return state.isClosed ? .end : .nothingYet(silenceCount: state.silenceCount)
        }
    }

    private func waitForMore(than position: Int, since silenceCount: Int) async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    let isOver = state.isClosed || Task.isCancelled
                    let isNew =
                        position < state.frames.count || silenceCount < state.silenceCount
                    if isOver || isNew { return true }
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
