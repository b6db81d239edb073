import Database
import Domain
import HTTPService
import Postgres

/// Waits until an upload is indexed, or for as long as the client wants.
struct IndexingWait: Sendable {
    let pool: PostgresPool
    let news: Wakeups
    let defaultSeconds: Int

    /// As it is then: the upload stands whatever comes of waiting.
    func wait(for attachment: Attachment, seconds: Int) async -> Attachment {
        guard seconds > 0 else { return attachment }
        var latest = attachment
        // Whether the time was enough is seen in its status.
        _ = try? await news.wait(
            for: [attachment.id.description], atMost: .seconds(seconds)
        ) {
            // Postgres may be back at the next look.
            if let found = try? await pool.read({ try AttachmentStore($0).find(attachment.id) }) {
                latest = found
            }
            return latest.status.isEnd
        }
        return latest
    }
}
