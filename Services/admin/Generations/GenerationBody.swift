import Database
import Domain
import FoundationEssentials

/// A generation as operators see it.
struct GenerationBody: Encodable, Sendable {
    let overview: GenerationOverview
    /// Whether it can be gone back to now.
    let canBeActivated: Bool

    /// - Parameter isBuilding: whether any generation is being built.
    init(_ overview: GenerationOverview, isBuilding: Bool) {
        self.overview = overview
        canBeActivated =
            overview.generation.state == .retired && !overview.isDropping && !isBuilding
    }

    private enum Key: String, CodingKey {
        case generation, state, collection, fingerprint, documents, chunks, missing, dropping
        case forced, check
        case embeddingModel = "embedding_model"
        case questionModel = "question_model"
        case vectorSize = "vector_size"
        case startedAt = "started_at"
        case activatedAt = "activated_at"
        case retiredAt = "retired_at"
        case droppedAt = "dropped_at"
        case canBeActivated = "can_activate"
        case blockedBy = "blocked_by"
    }

    private struct Documents: Encodable {
        let done: Int
        let total: Int
        let failed: Int
    }

    func encode(to encoder: any Encoder) throws {
        var body = encoder.container(keyedBy: Key.self)
        let generation = overview.generation
        try body.encode(generation.number, forKey: .generation)
        try body.encode(generation.state, forKey: .state)
        try body.encode(generation.collection, forKey: .collection)
        try body.encode(generation.index.fingerprint, forKey: .fingerprint)
        try body.encode(generation.index.passageModel, forKey: .embeddingModel)
        try body.encode(generation.index.questionModel, forKey: .questionModel)
        try body.encode(generation.index.dimensionCount, forKey: .vectorSize)
        try body.encode(Self.seconds(overview.createdAt), forKey: .startedAt)
        try body.encode(Self.seconds(overview.activatedAt), forKey: .activatedAt)
        try body.encode(Self.seconds(overview.retiredAt), forKey: .retiredAt)
        try body.encode(Self.seconds(overview.droppedAt), forKey: .droppedAt)
        try encodeProgress(&body)
        try body.encode(canBeActivated, forKey: .canBeActivated)
        try body.encode(overview.isDropping && generation.state != .dropped, forKey: .dropping)
        try body.encode(overview.isForced, forKey: .forced)
        try body.encode(overview.blockers, forKey: .blockedBy)
        try body.encode(overview.check, forKey: .check)
    }

    private func encodeProgress(_ body: inout KeyedEncodingContainer<Key>) throws {
        let missing = overview.missing
        try body.encode(
            Documents(
                done: overview.documentCount,
                total: overview.documentCount + (missing?.absentCount ?? 0),
                failed: missing?.failedCount ?? 0),
            forKey: .documents)
        try body.encode(overview.chunkCount, forKey: .chunks)
        try body.encode(missing?.count, forKey: .missing)
    }

    /// Since 1970; null where it has not happened.
    private static func seconds(_ date: Date?) -> Int? {
        date.map { Int($0.timeIntervalSince1970) }
    }
}
