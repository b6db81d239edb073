import Database
import Domain
import JobQueue
import Postgres
import Qdrant
import ServiceRuntime
import Testing

@testable import Ingest

/// What operators do with generations, and what came of it.
extension IngestWorld {
    /// Begins another one, and says its number.
    func begin(_ change: @Sendable (inout IndexDescription) -> Void) async throws -> Int {
        var index = try await liveIndex()
        change(&index)
        let wanted = index
        return try await ingest.pool.transaction { transaction in
            let made = try GenerationStore(transaction).insert(
                wanted, collectionBase: ingest.settings.qdrant.collectionBase)
            try enqueueBuilding(of: made.number, transaction)
            return made.number
        }
    }

    /// Begins another one and waits until it is live.
    func rebuild(_ change: @Sendable (inout IndexDescription) -> Void) async throws -> Int {
        let number = try await begin(change)
        try await expectAllJobsFinished()
        #expect(try await state(of: number) == .live)
        return number
    }

    func goBack(to number: Int) async throws {
        try await ingest.pool.transaction { transaction in
            _ = try GenerationStore(transaction).setBuilding(number)
            try enqueueBuilding(of: number, transaction)
        }
    }

    func force(_ number: Int) async throws {
        try await ingest.pool.transaction { transaction in
            try GenerationStore(transaction).setForced(number)
            try JobQueue().hasten(subject: Generation.subject(number), in: transaction)
        }
    }

    func cancel(_ number: Int) async throws {
        let queue = JobQueue()
        try await ingest.pool.transaction { transaction in
            try queue.cancel(subject: Generation.subject(number), in: transaction)
            try queue.cancel(
                ReindexDocumentJob.kind, where: ["generation": number], in: transaction)
            _ = try GenerationStore(transaction).lockStates()
            try GenerationStore(transaction).setCancelled(number)
            try queue.enqueue(
                DropGenerationJob.kind, DropGenerationJob(number: number),
                subject: Generation.subject(number), priority: .bulk, in: transaction)
        }
    }

    private func enqueueBuilding(of number: Int, _ transaction: Transaction) throws {
        try JobQueue().enqueue(
            BuildGenerationJob.kind, BuildGenerationJob(number: number),
            subject: Generation.subject(number), priority: .bulk, in: transaction)
    }

    func overview(of number: Int) async throws -> GenerationOverview {
        let found = try await ingest.pool.read { try GenerationOverviewStore($0).list() }
        return try #require(found.first { $0.generation.number == number })
    }

    func state(of number: Int) async throws -> Generation.State {
        try await overview(of: number).generation.state
    }

    /// Postgres and the engine say the same of a generation, document by document.
    func expectAgreement(in number: Int) async throws {
        let generation = try await overview(of: number).generation
        let chunkCounts = try await ingest.pool.read { session in
            try session.run(
                """
                SELECT i.document_id, count(c.id) AS chunks FROM indexed_documents i
                JOIN chunks c ON c.tenant_id = i.tenant_id AND c.revision_id = i.revision_id
                WHERE i.generation = \(number) GROUP BY i.document_id
                """
            ).map {
                (
                    try $0.get("document_id", as: Document.ID.self),
                    try $0.get("chunks", as: Int.self)
                )
            }
        }
        for (document, chunkCount) in chunkCounts {
            let pointCount = try await ingest.qdrant.countPoints(
                document: document, in: generation.collection)
            #expect(pointCount == chunkCount, "\(document) in \(number)")
        }
        let total = try await ingest.qdrant.count(in: generation.collection)
        #expect(total == chunkCounts.reduce(0) { $0 + $1.1 })
    }

    /// Lengths of the vectors that are kept, by the fingerprint of their model.
    func vectorSizes() async throws -> [String: Set<Int>] {
        let rows = try await ingest.pool.read { session in
            try session.run(
                """
                SELECT DISTINCT model_fingerprint, array_length(vector, 1)::bigint AS size
                FROM embeddings
                """)
        }
        var sizes: [String: Set<Int>] = [:]
        for row in rows {
            sizes[try row.get("model_fingerprint"), default: []].insert(try row.get("size"))
        }
        return sizes
    }
}
