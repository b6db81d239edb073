import Database
import Domain
import Postgres
import Qdrant

/// Collections of generations that are live or being built, and none of others: one that is given up
/// does not come back by the hand of somebody who was about to write to it.
struct GenerationCollections: Sendable {
    let pool: PostgresPool
    let qdrant: Qdrant

    /// Nothing happens when it is there, or when the generation is over.
    func make(_ generation: Generation) async throws {
        guard try await isActive(generation) else { return }
        try await qdrant.ensureCollection(
            generation.collection, dimensionCount: generation.index.dimensionCount)
        // Given up meanwhile: whoever drops it may have been here before us.
        if try await !isActive(generation), try await isGone(generation) {
            try await qdrant.deleteCollection(generation.collection)
        }
    }

    private func isActive(_ generation: Generation) async throws -> Bool {
        try await pool.read { try GenerationStore($0).isActive(generation.number) }
    }

    private func isGone(_ generation: Generation) async throws -> Bool {
        try await pool.read { try GenerationStore($0).find(generation.number)?.state == .dropped }
    }
}
