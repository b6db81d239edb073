import Database
import Domain
import HTTPService
import NIOCore
import Postgres
import ServiceLifecycle

/// The rest of an answer's stream, whoever makes or made the answer.
struct StreamReader: Sendable {
    enum Rest: Sendable {
        /// The client has everything.
        case nothing
        case live(EventLog.Frames)
        case stored(AsyncThrowingStream<ByteBuffer, any Error>)
    }

    let pool: PostgresPool
    let news: Wakeups
    let answering: Answering

    /// Longer than any answer may take; a client that still waits comes back.
    private static let longest = Duration.seconds(15 * 60)

    /// What comes after an event.
    ///
    /// - Throws: a problem: no such reply, or its stream cannot be had any more.
    func rest(
        of id: Message.ID, after position: Int, for principal: Principal
    ) async throws -> Rest {
        let viewing = StoredViewing(
            id: id, position: position, principal: principal, pool: pool, news: news,
            end: .now + Self.longest)
        let running = answering.find(id)
        try await viewing.look(drawingOn: running?.draft.contents.sources.map(\.documentID) ?? [])
        // Ended in Postgres, by us a moment ago or by another who took it over: that counts.
        if let running, await !viewing.isWhole {
            return .live(running.log.frames(after: position))
        }
        if await viewing.isOver { return .nothing }
        return .stored(AsyncThrowingStream { try await viewing.next() })
    }
}

/// One client that follows a stream in the store.
private actor StoredViewing {
    private let id: Message.ID
    private let principal: Principal
    private let pool: PostgresPool
    private let news: Wakeups
    private let end: ContinuousClock.Instant
    private var position: Int
    private var pending = ""
    /// What is pending is the rest.
    private(set) var isWhole = false

    init(
        id: Message.ID, position: Int, principal: Principal, pool: PostgresPool, news: Wakeups,
        end: ContinuousClock.Instant
    ) {
        self.id = id
        self.position = position
        self.principal = principal
        self.pool = pool
        self.news = news
        self.end = end
    }

    var isOver: Bool { isWhole && pending.isEmpty }

    /// Nil at the end; empty when there was nothing for a while. Throws, which breaks the connection
    /// visibly, when the rest cannot be had here and now: the client comes back, and is told why.
    func next() async throws -> ByteBuffer? {
        if pending.isEmpty && !isWhole { try await waitForMore() }
        if isOver { return nil }
        defer { pending = "" }
        return ByteBuffer(string: pending)
    }

    private func waitForMore() async throws {
        _ = try await news.wait(for: [id.description], atMost: EventStream.silenceInterval) {
            if Task.isShuttingDownGracefully { throw CancellationError() }
            do {
                try await look()
            } catch is PostgresError {
                // It may be back at the next look.
                return false
            }
            return isWhole || !pending.isEmpty
        }
        if ContinuousClock.now > end { throw Problem.streamExpired }
    }

    /// Takes what is new.
    func look(drawingOn documents: [Document.ID] = []) async throws {
        let (state, rows) = try await pool.read { [id, principal, position] session in
            let streams = StreamStore(session)
            return (
                try streams.state(of: id, drawingOn: documents, for: principal),
                try streams.rows(of: id, after: position)
            )
        }
        guard let state else { throw Problem.messageNotFound }
        guard !state.isWithdrawn, state.isRunning || state.isWhole else {
            throw Problem.streamExpired
        }
        for row in rows {
            // One that is missing is in the row of the end.
            guard row.isFinal || row.firstID <= position + 1 else { break }
            pending += StoredFrames.after(position, in: row.frames)
            position = row.lastID
        }
        isWhole = state.isWhole || rows.last?.isFinal == true
    }
}
