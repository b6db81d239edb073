import Database
import Domain
import HTTPService

/// An upload as operators see it: what its owner sees, and the jobs about it.
struct UploadBody: Encodable, Sendable {
    let attachment: Attachment
    /// Nil at its end.
    let indexing: IndexingState?
    let jobs: [JobOverview]
    /// Only where one is looked at in depth.
    var depth: UploadDepth?

    private enum Key: String, CodingKey {
        case jobs, chunks, generation
        case textPreview = "text_preview"
        case textLength = "text_length"
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
        try AttachmentBody(attachment, as: .item(indexing)).encode(to: encoder)
        var body = encoder.container(keyedBy: Key.self)
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
