import Database
import Domain
import FoundationEssentials
import HTTPService

/// An upload as operators see it: what its owner sees, and the jobs about it.
struct UploadBody: Encodable, Sendable {
    let attachment: Attachment
    /// Nil at its end.
    let indexing: IndexingState?
    let jobs: [JobOverview]
    /// Only where one is looked at in depth.
    var depth: UploadDepth?

    private enum Key: String, CodingKey { case jobs }

    func encode(to encoder: any Encoder) throws {
        try AttachmentBody(attachment, as: .item(indexing)).encode(to: encoder)
        var body = encoder.container(keyedBy: Key.self)
        try body.encode(
            jobs.map { JobBody($0, tellsAttempts: depth != nil) }, forKey: .jobs)
        try depth?.encode(to: encoder)
    }
}

/// What the stores hold of an upload.
struct UploadDepth: Encodable, Sendable {
    let generations: [UploadInGeneration]
    /// The one whose text and chunks are told; nil when none shows it.
    let shown: UploadInGeneration?
    let text: UploadText?
    let chunks: [ChunkPreview]
    let chunkLimit: Int
    let chunkOffset: Int
    /// By generation; one whose engine does not answer is not in it.
    var pointCounts: [Int: Int] = [:]
    var stored: StoredBytes?

    private enum Key: String, CodingKey {
        case chunks, generation, generations, storage
        case textPreview = "text_preview"
        case textLength = "text_length"
    }

    func encode(to encoder: any Encoder) throws {
        let live = generations.first { $0.state == .live }
        var body = encoder.container(keyedBy: Key.self)
        try body.encode(live?.number, forKey: .generation)
        try body.encode(
            generations.map { Item(generation: $0, pointCount: pointCounts[$0.number]) },
            forKey: .generations)
        try body.encode(
            Chunks(
                postgres: shown?.chunkCount ?? 0,
                qdrant: live.map { pointCounts[$0.number] } ?? 0,
                items: chunks, limit: chunkLimit, offset: chunkOffset), forKey: .chunks)
        try body.encode(stored, forKey: .storage)
        try body.encode(text?.preview, forKey: .textPreview)
        try body.encode(text?.characterCount, forKey: .textLength)
    }

    private struct Item: Encodable {
        let generation: UploadInGeneration
        /// Null: the engine does not answer.
        let pointCount: Int?

        private enum Key: String, CodingKey {
            case generation, state, chunks, points
            case revisionID = "revision_id"
            case chunkingVersion = "chunking_version"
            case indexedAt = "indexed_at"
        }

        func encode(to encoder: any Encoder) throws {
            var body = encoder.container(keyedBy: Key.self)
            try body.encode(generation.number, forKey: .generation)
            try body.encode(generation.state, forKey: .state)
            try body.encode(generation.revision, forKey: .revisionID)
            try body.encode(generation.chunkingVersion, forKey: .chunkingVersion)
            try body.encode(
                generation.indexedAt.map { Int($0.timeIntervalSince1970) }, forKey: .indexedAt)
            try body.encode(generation.chunkCount, forKey: .chunks)
            try body.encode(pointCount, forKey: .points)
        }
    }

    private struct Chunks: Encodable {
        let postgres: Int
        /// In the live generation. Null: the engine does not answer.
        let qdrant: Int?
        let items: [ChunkPreview]
        let limit: Int
        let offset: Int

        private enum Key: String, CodingKey { case postgres, qdrant, items, limit, offset }

        func encode(to encoder: any Encoder) throws {
            var body = encoder.container(keyedBy: Key.self)
            try body.encode(postgres, forKey: .postgres)
            try body.encode(qdrant, forKey: .qdrant)
            try body.encode(items.map(ChunkBody.init), forKey: .items)
            try body.encode(limit, forKey: .limit)
            try body.encode(offset, forKey: .offset)
        }
    }

    private struct ChunkBody: Encodable {
        let chunk: ChunkPreview

        private enum Key: String, CodingKey {
            case id, ordinal, page, language, length, preview
            case headingPath = "heading_path"
        }

        func encode(to encoder: any Encoder) throws {
            var body = encoder.container(keyedBy: Key.self)
            try body.encode(chunk.id, forKey: .id)
            try body.encode(chunk.ordinal, forKey: .ordinal)
            try body.encode(chunk.page, forKey: .page)
            try body.encode(chunk.headingPath, forKey: .headingPath)
            try body.encode(chunk.language, forKey: .language)
            try body.encode(chunk.characterCount, forKey: .length)
            try body.encode(chunk.preview, forKey: .preview)
        }
    }
}
