import Database
import Domain
import HTTPService
import Logging
import ObjectStorage
import Postgres
import Qdrant

/// Looks at one upload in all stores.
struct UploadInspection: Sendable {
    let pool: PostgresPool
    let qdrant: Qdrant
    let storage: any ObjectStorage
    let logger: Logger

    private static let jobCountMax = 50
    /// Characters of the extracted text, and of a chunk.
    private static let textPreviewCount = 2_000
    private static let chunkPreviewCount = 300
    private static let chunkCountUsual = 20
    private static let chunkCountMax = 200

    func inspect(_ id: Attachment.ID, _ asked: UploadRequest) async throws -> UploadBody {
        let limit = min(
            max(0, asked.chunkLimit?.value ?? Self.chunkCountUsual), Self.chunkCountMax)
        let offset = max(0, asked.chunkOffset?.value ?? 0)
        var body = try await pool.read { session in
            let found = try AttachmentStore(session).find(id)
            let told = try IndexingStateStore(session).told(found.map { [$0] } ?? []).first
            guard let told else { throw Problem.attachmentNotFound }
            let store = UploadDepthStore(session, of: told.attachment.documentID)
            let generations = try store.generations()
            // What members find now, or would if the one being built were live.
            let shown =
                generations.first { $0.state == .live && $0.revision != nil }
                ?? generations.first { $0.revision != nil }
            let depth = UploadDepth(
                generations: generations, shown: shown,
                text: try shown?.revision.flatMap {
                    try store.text(of: $0, previewCount: Self.textPreviewCount)
                },
                chunks: try shown?.revision.map {
                    try store.chunks(
                        of: $0, limit: limit, offset: offset,
                        previewCount: Self.chunkPreviewCount)
                } ?? [], chunkLimit: limit, chunkOffset: offset)
            return UploadBody(
                attachment: told.attachment, indexing: told.state,
                jobs: try JobOverviewStore(session).list(
                    subjects: [id.description], limitEach: Self.jobCountMax), depth: depth)
        }
        let looked = body
        async let counts = pointCounts(of: looked)
        async let stored = StoredBytes(of: looked.attachment, in: storage)
        let found = await (counts, stored)
        body.depth?.pointCounts = found.0
        body.depth?.stored = found.1
        return body
    }

    /// By generation. One is left out when the engine is away, or lacks the collection: the rest of
    /// the answer stands without it.
    private func pointCounts(of body: UploadBody) async -> [Int: Int] {
        var counts: [Int: Int] = [:]
        for generation in body.depth?.generations ?? [] {
            do {
                counts[generation.number] = try await qdrant.countPoints(
                    document: body.attachment.documentID, in: generation.collection)
            } catch {
                logger.warning(
                    "points cannot be counted",
                    metadata: [
                        "generation.number": "\(generation.number)", "error": "\(error)",
                    ])
            }
        }
        return counts
    }
}
