package import Domain
import FoundationEssentials

/// An attachment as clients see it: the upload's answer, and more in lists.
package struct AttachmentBody: Encodable, Sendable {
    private let attachment: Attachment
    /// Also what only an item has, not the answer to an upload.
    private let isItem: Bool

    package init(_ attachment: Attachment, isItem: Bool) {
        self.attachment = attachment
        self.isItem = isItem
    }

    private enum Key: String, CodingKey {
        case id, filename, size, sha256, uri, scope, status, caption, progress, error
        case attachmentID = "attachment_id"
        case contentType = "content_type"
        case byteCount = "size_bytes"
        case createdAt = "created_at"
        case ownerUserID = "owner_user_id"
        case chunkCount = "chunk_count"
        case pageCount = "page_count"
    }

    package func encode(to encoder: any Encoder) throws {
        var body = encoder.container(keyedBy: Key.self)
        try body.encode(attachment.id, forKey: .id)
        try body.encode(attachment.id, forKey: .attachmentID)
        try body.encode(attachment.filename, forKey: .filename)
        try body.encode(attachment.contentType, forKey: .contentType)
        try body.encode(attachment.byteCount, forKey: .size)
        try body.encode(attachment.byteCount, forKey: .byteCount)
        try body.encode(hexadecimal(attachment.sha256), forKey: .sha256)
        try body.encode(Self.uri(of: attachment.id), forKey: .uri)
        try body.encode(attachment.owner.userID == nil ? "system" : "user", forKey: .scope)
        try body.encode(attachment.status, forKey: .status)
        try body.encode(attachment.caption, forKey: .caption)
        try body.encode(Int(attachment.createdAt.timeIntervalSince1970), forKey: .createdAt)
        if isItem || attachment.failure != nil {
            try body.encode(
                attachment.failure.map(AttachmentFailureBody.init), forKey: .error)
        }
        guard isItem else { return }
        try body.encode(attachment.owner.userID, forKey: .ownerUserID)
        try body.encode(attachment.chunkCount, forKey: .chunkCount)
        try body.encode(attachment.pageCount, forKey: .pageCount)
        try body.encode(progress, forKey: .progress)
    }

    /// From 0 to 1; nil while it is not known.
    private var progress: Double? {
        switch attachment.status {
        case .queued: 0
        case .processing, .failed: nil
        case .indexed, .stored: 1
        }
    }

    package static func uri(of id: Attachment.ID) -> String { "/attachments/\(id)/raw" }
}

/// Why a file could not be indexed, for its owner.
package struct AttachmentFailureBody: Encodable, Sendable {
    private let code: String
    private let message: String

    package init(_ failure: Attachment.Failure) {
        code = failure.code
        message = failure.message
    }
}
