package import Domain
import FoundationEssentials

/// An attachment as clients see it: the upload's answer, and more in lists.
package struct AttachmentBody: Encodable, Sendable {
    package enum Form: Sendable {
        /// To an upload.
        case answer
        /// In a list or alone, with where its indexing is unless that has ended.
        case item(IndexingState?)
    }

    private let attachment: Attachment
    private let form: Form

    package init(_ attachment: Attachment, as form: Form) {
        self.attachment = attachment
        self.form = form
    }

    private enum Key: String, CodingKey {
        case id, filename, size, sha256, uri, scope, status, caption, progress, error, indexing
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
        let failure = attachment.failure.map(AttachmentFailureBody.init)
        switch form {
        case .answer: try body.encodeIfPresent(failure, forKey: .error)
        case .item(let indexing):
            try body.encode(failure, forKey: .error)
            try body.encode(attachment.owner.userID, forKey: .ownerUserID)
            try body.encode(attachment.chunkCount, forKey: .chunkCount)
            try body.encode(attachment.pageCount, forKey: .pageCount)
            try body.encode(progress(indexing), forKey: .progress)
            let state = attachment.status.isEnd ? nil : indexing
            try body.encode(state.map(IndexingBody.init), forKey: .indexing)
        }
    }

    /// From 0 to 1; nil when it is not known, or came to nothing.
    private func progress(_ indexing: IndexingState?) -> Double? {
        switch attachment.status {
        case .queued, .processing: indexing?.progress
        case .failed: nil
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

/// Where the indexing of a file is.
private struct IndexingBody: Encodable, Sendable {
    private let state: IndexingState

    init(_ state: IndexingState) { self.state = state }

    private enum Key: String, CodingKey { case state, reason, position }

    func encode(to encoder: any Encoder) throws {
        var body = encoder.container(keyedBy: Key.self)
        try body.encode(state.stage, forKey: .state)
        // Null, not left out: clients read the fields.
        try body.encode(state.obstacle, forKey: .reason)
        try body.encode(state.position, forKey: .position)
    }
}
