import Database
import Domain
import HTTPService
import NIOCore
import Postgres
import ServiceLifecycle

/// What becomes of an upload, as events: its item whenever that changes, until its end.
struct IndexingEvents: Sendable {
    let pool: PostgresPool
    let news: Wakeups

    /// A client that still waits then asks again; its token may have ended by now.
    private static let longest = Duration.seconds(15 * 60)

    func frames(
        of id: Attachment.ID, for principal: Principal
    ) -> some AsyncSequence<ByteBuffer, any Error> & Sendable {
        let viewing = Viewing(
            id: id, principal: principal, pool: pool, news: news, end: .now + Self.longest)
        return AsyncThrowingStream { try await viewing.next() }
    }
}

/// One client that follows one upload.
private actor Viewing {
    private struct Look: Equatable {
        let status: String
        let frame: ByteBuffer
        let isEnd: Bool
    }

    private struct Done: Encodable { let status: String }

    private struct Failure: Encodable {
        let code: String
        let message: String

        init(_ problem: Problem) {
            code = problem.code
            message = problem.detail
        }
    }

    private let id: Attachment.ID
    private let principal: Principal
    private let pool: PostgresPool
    private let news: Wakeups
    private let end: ContinuousClock.Instant
    private var last: Look?
    private var isDone = false

    init(
        id: Attachment.ID, principal: Principal, pool: PostgresPool, news: Wakeups,
        end: ContinuousClock.Instant
    ) {
        self.id = id
        self.principal = principal
        self.pool = pool
        self.news = news
        self.end = end
    }

    /// Nil after the event that says so; empty when nothing changed for a while.
    func next() async throws -> ByteBuffer? {
        if isDone { return nil }
        if last?.isEnd != true {
            if let change = try await change() {
                last = change
                return change.frame
            }
            if ContinuousClock.now < end, !Task.isShuttingDownGracefully { return ByteBuffer() }
        }
        isDone = true
        return try EventStream.frame("done", Done(status: last?.status ?? ""))
    }

    /// Nil when nothing changes for a while, or we are stopping.
    private func change() async throws -> Look? {
        let seen = last
        var found: Look?
        let isChanged = try await news.wait(
            for: [id.description], atMost: EventStream.silenceInterval
        ) {
            // Postgres may be back at the next look.
            found = (try? await look()) ?? seen
            return found != seen || Task.isShuttingDownGracefully
        }
        return isChanged && found != seen ? found : nil
    }

    private func look() async throws -> Look {
        let told = try await pool.read { [id, principal] session in
            let found = try AttachmentStore(session).find(id, for: principal)
            return try IndexingStateStore(session).told(found.map { [$0] } ?? []).first
        }
        guard let (attachment, state) = told else {
            let failure = Failure(.attachmentNotFound)
            return Look(
                status: "deleted", frame: try EventStream.frame("error", failure), isEnd: true)
        }
        let item = AttachmentBody(attachment, as: .item(state))
        return Look(
            status: attachment.status.rawValue, frame: try EventStream.frame("status", item),
            isEnd: attachment.status.isEnd)
    }
}
