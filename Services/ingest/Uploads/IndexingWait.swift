import Database
import Domain
import HTTPService
import Postgres

/// Waits until an upload is indexed, or for as long as the client wants.
struct IndexingWait: Sendable {
    let pool: PostgresPool
    let listener: PostgresListener
    let defaultSeconds: Int

    /// Ordinary proxies cut at 60.
    private static let secondsMax = 50
    /// Between looks without a notification: it is a hint and may be lost.
    private static let pollInterval = Duration.seconds(1)

    /// Clamped; what is no number is refused.
    func seconds(asked: Substring?) throws -> Int {
        guard let asked else { return min(defaultSeconds, Self.secondsMax) }
        guard let seconds = Int(asked) else {
            throw Problem.invalid("/wait", "`wait` must be a whole number of seconds.")
        }
        return min(max(0, seconds), Self.secondsMax)
    }

    /// As it is then: the upload stands whatever comes of waiting.
    func wait(for attachment: Attachment, seconds: Int) async -> Attachment {
        guard seconds > 0 else { return attachment }
        let news = listener.notifications(on: Channel.attachments)
        let latest = await withTaskGroup(of: Attachment?.self) { group in
            group.addTask { await poll(attachment.id) }
            group.addTask { await follow(attachment.id, news) }
            group.addTask {
                // Cancelled when the attachment is first.
                try? await Task.sleep(for: .seconds(seconds))
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
        if let latest { return latest }
        return await find(attachment.id) ?? attachment
    }

    private func poll(_ id: Attachment.ID) async -> Attachment? {
        while !Task.isCancelled {
            if let found = await find(id), found.status.isEnd { return found }
            // Cancelled: the loop's condition ends it.
            try? await Task.sleep(for: Self.pollInterval)
        }
        return nil
    }

    private func follow(
        _ id: Attachment.ID, _ news: AsyncStream<Notification>
    ) async -> Attachment? {
        for await notification in news
        where notification.payload.isEmpty || notification.payload == id.description {
            if let found = await find(id), found.status.isEnd { return found }
        }
        // The stream ended with the listener; the time-out or the polling decides.
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(60)) }
        return nil
    }

    /// Nil also when Postgres is away: the next look may succeed.
    private func find(_ id: Attachment.ID) async -> Attachment? {
        try? await pool.read { try AttachmentStore($0).find(id) }
    }
}
