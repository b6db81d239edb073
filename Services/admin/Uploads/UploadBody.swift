import Database
import Domain
import FoundationEssentials

/// An upload as operators see it: what its owner sees, and the jobs about it.
struct UploadBody: Encodable, Sendable {
    let attachment: Attachment
    let jobs: [JobOverview]
    /// Only where one is looked at in depth.
    var depth: UploadDepth?

    private enum Key: String, CodingKey {
        case id, filename, size, sha256, uri, scope, status, caption, error, jobs
        case attachmentID = "attachment_id"
        case contentType = "content_type"
        case byteCount = "size_bytes"
        case createdAt = "created_at"
        case ownerUserID = "owner_user_id"
        case chunkCount = "chunk_count"
        case pageCount = "page_count"
        case chunks
        case textPreview = "text_preview"
        case textLength = "text_length"
        case generation
    }

    private struct Failure: Encodable {
        let code: String
        let message: String
    }

    private struct Chunks: Encodable {
        let postgres: Int
        /// Null: the engine does not answer.
        let qdrant: Int?

        private enum Key: String, CodingKey { case postgres, qdrant }

        func encode(to encoder: any Encoder) throws {
            var body = encoder.container(keyedBy: Key.self)
            try body.encode(postgres, forKey: .postgres)
            try body.encode(qdrant, forKey: .qdrant)
        }
    }

    func encode(to encoder: any Encoder) throws {
        var body = encoder.container(keyedBy: Key.self)
        try body.encode(attachment.id, forKey: .id)
        try body.encode(attachment.id, forKey: .attachmentID)
        try body.encode(attachment.filename, forKey: .filename)
        try body.encode(attachment.contentType, forKey: .contentType)
        try body.encode(attachment.byteCount, forKey: .size)
        try body.encode(attachment.byteCount, forKey: .byteCount)
        try body.encode(hexadecimal(attachment.sha256), forKey: .sha256)
        try body.encode("/attachments/\(attachment.id)/raw", forKey: .uri)
        try body.encode(attachment.owner == .shared ? "system" : "user", forKey: .scope)
        try body.encode(attachment.status, forKey: .status)
        try body.encode(attachment.caption, forKey: .caption)
        try body.encode(Int(attachment.createdAt.timeIntervalSince1970), forKey: .createdAt)
        try body.encode(attachment.owner.userID, forKey: .ownerUserID)
        try body.encode(attachment.chunkCount, forKey: .chunkCount)
        try body.encode(attachment.pageCount, forKey: .pageCount)
        try body.encode(
            attachment.failure.map { Failure(code: $0.code, message: $0.message) }, forKey: .error)
        try body.encode(jobs.map(JobBody.init), forKey: .jobs)
        guard let depth else { return }
        try body.encode(depth.generation, forKey: .generation)
        try body.encode(
            Chunks(postgres: depth.text?.chunkCount ?? 0, qdrant: depth.pointCount),
            forKey: .chunks)
        try body.encode(depth.text?.preview, forKey: .textPreview)
        try body.encode(depth.text?.characterCount, forKey: .textLength)
    }
}

/// What the stores hold of an upload.
struct UploadDepth: Sendable {
    /// The live one; nil when there is none yet.
    let generation: Int?
    let text: UploadText?
    /// Nil when the engine does not answer.
    let pointCount: Int?
}
