import Database
import Domain
import JobQueue
import Logging
import Postgres
import Qdrant
import Retrieval

/// Brings a document into every generation that is live or being built, and shows it in all of
/// them in one transaction. All of it may be cut short anywhere and begun again.
struct DocumentIndexer: Sendable {
    let pool: PostgresPool
    let qdrant: Qdrant
    let drafts: RevisionDrafts
    let embedder: Embedder
    let queue: JobQueue
    let lateWrites: LateWrites
    let collections: GenerationCollections
    let logger: Logger

    /// What was made, for the transaction that shows it.
    struct Result: Sendable {
        /// By generation.
        var revisions: [Int: Revision.ID] = [:]
        var chunkCount = 0
        var pageCount: Int?
        /// Generations that points were written into, whole or not.
        var written: Set<Int> = []
    }

    /// Points of one write.
    private static let pointCountMax = 64
    /// How often the set of generations may change under one job before it is asked again later.
    private static let roundCountMax = 5

    /// - Parameters:
    ///   - target: the one generation that lacks the document; by default all are written.
    ///   - cutAlike: one chunking version for all generations; by default each has its own.
    ///   - finish: what stands in the transaction that shows the document. The document, the job
    ///     and the generations are locked, in this order.
    func index(
        _ document: IndexableDocument, for job: ClaimedJob, into target: Int? = nil,
        cutAlike: Bool = false,
        finish: @Sendable (Result, [Generation], Transaction) throws -> Void
    ) async throws {
        if try await pool.read({
            try DocumentStore($0).isBeingWorkedOn(
                document.id, by: [SweepRevisionsJob.kind])
        }) {
            // What is swept might be what we are about to show.
            throw JobFailure.snooze(.milliseconds(Int.random(in: 300...900)))
        }
        do {
            try await indexEverywhere(
                document, for: job, into: target, cutAlike: cutAlike, finish: finish)
        } catch {
            lateWrites.check(document.id)
            throw IndexingFailure.sorted(error)
        }
    }

    /// Replaces what the generations show, and has the rest swept.
    func show(
        _ result: Result, of document: Document.ID, in generations: [Generation],
        _ transaction: Transaction
    ) throws {
        let store = IndexedDocumentStore(transaction)
        var isReplaced = false
        for generation in generations {
            guard let revision = result.revisions[generation.number] else { continue }
            let old = try store.find(document, in: generation.number)
            if let old, old != revision { isReplaced = true }
            try store.set(document, in: generation.number, to: revision)
        }
        if isReplaced { try sweep(document, transaction) }
    }

    private func sweep(_ document: Document.ID, _ transaction: Transaction) throws {
        try queue.enqueue(
            SweepRevisionsJob.kind, SweepRevisionsJob(documentID: document),
            subject: document.description, priority: .bulk, in: transaction)
    }

    private func indexEverywhere(
        _ document: IndexableDocument, for job: ClaimedJob, into target: Int?, cutAlike: Bool,
        finish: @Sendable (Result, [Generation], Transaction) throws -> Void
    ) async throws {
        var result = Result()
        let progress = IndexingProgress(of: job, pool: pool)
        for _ in 0..<Self.roundCountMax {
            let active = try await pool.read { try GenerationStore($0).active() }
            guard !active.isEmpty else { throw JobFailure.snooze(.seconds(2)) }
            let generations = active.filter { target == nil || $0.number == target }
            let common = cutAlike ? Self.smallestWindow(generations) : nil
            for generation in generations where result.revisions[generation.number] == nil {
                let version = common ?? generation.index.chunkingVersion
                do {
                    try await put(
                        document, cut: version, into: generation, for: job, progress, &result)
                } catch is GenerationIsOver {
                    continue
                }
            }
            let made = result
            let isDone = try await pool.transaction { transaction in
                try Self.requireStanding(document.id, job, transaction)
                let active = try GenerationStore(transaction).lockActive()
                    .filter { target == nil || $0.number == target }
                guard active.allSatisfy({ made.revisions[$0.number] != nil }) else { return false }
                try finish(made, active, transaction)
                // Replaced or given up while we wrote, or while somebody did who died of it: nothing
                // shows there what was written.
                if job.attempt > 1 || !made.written.isSubset(of: active.map(\.number)) {
                    try sweep(document.id, transaction)
                }
                try RecognisedPageStore(transaction).delete(of: document.id)
                try job.complete(in: transaction)
                return true
            }
            if isDone { return }
        }
        throw JobFailure.snooze(.seconds(1))
    }

    private static func smallestWindow(_ generations: [Generation]) -> String? {
        generations.map(\.index.chunkingVersion).min {
            Chunking.windowTokenCount(of: $0) ?? 0 < Chunking.windowTokenCount(of: $1) ?? 0
        }
    }

    private func put(
        _ document: IndexableDocument, cut version: String, into generation: Generation,
        for job: ClaimedJob, _ progress: IndexingProgress, _ result: inout Result
    ) async throws {
        let revision = Revision.id(
            document: document.id, contentHash: document.contentHash, chunkingVersion: version)
        if try await !pool.read({ try RevisionStore($0).exists(revision) }) {
            let draft = try await drafts.make(
                document, cut: version, index: generation.index, for: job, progress)
            try await pool.transaction { transaction in
                try Self.requireStanding(document.id, job, transaction)
                try RevisionStore(transaction).insert(draft.revision, chunks: draft.chunks)
            }
        }
        let chunks = try await pool.read { try RevisionStore($0).chunks(of: revision) }
        for start in stride(from: 0, to: chunks.count, by: Self.pointCountMax) {
            let slice = Array(chunks[start..<min(start + Self.pointCountMax, chunks.count)])
            await progress.report(.writing, start, of: chunks.count)
            result.written.insert(generation.number)
            try await upsert(slice, of: revision, document, into: generation, for: job)
        }
        result.revisions[generation.number] = revision
        result.chunkCount = chunks.count
        result.pageCount = chunks.compactMap(\.chunk.page).max()
    }

    private func upsert(
        _ chunks: [StoredChunk], of revision: Revision.ID, _ document: IndexableDocument,
        into generation: Generation, for job: ClaimedJob
    ) async throws {
        let texts = chunks.map { Embedder.Text(hash: $0.textHash, text: $0.chunk.embeddedText) }
        let tooLong = try await embedder.embed(
            texts, owner: document.owner, index: generation.index)
        let vectors = try await embedder.find(
            texts, owner: document.owner, index: generation.index)
        let points = try chunks.compactMap { stored -> Point? in
            guard let dense = vectors[hexadecimal(stored.textHash)] else {
                // A revision cut for another window; the full text search still finds it.
                if tooLong.contains(stored.textHash) { return nil }
                // Swept meanwhile, with something else that said the same.
                throw JobFailure.retry(after: .seconds(1))
            }
            return Point(
                stored.chunk, dense: dense,
                of: ShownRevision(
                    document: document.id, kind: document.kind, owner: document.owner,
                    revision: revision))
        }
        if !tooLong.isEmpty {
            logger.warning(
                "chunks are longer than the model's window and were left out",
                metadata: ["document.id": "\(document.id)", "chunk.count": "\(tooLong.count)"])
        }
        try await awaitLease(of: job)
        // Whoever deletes the document now waits for this, or is seen by it: either way the points
        // land before the erasure counts them.
        try await pool.transaction { transaction in
            try Self.requireStanding(document.id, job, transaction)
            try Self.requireActive(generation, transaction)
        }
        do {
            try await qdrant.upsert(
                points, into: generation.collection, deadline: .seconds(DocumentStore.upsertSeconds)
            )
        } catch {
            guard error == .notFound else { throw error }
            // The engine lost it, or has never had it: it is made again, empty.
            try await collections.make(generation)
            throw JobFailure.snooze(.seconds(1))
        }
    }

    /// Throws unless the document is there and the job still ours. Locks both.
    private static func requireStanding(
        _ document: Document.ID, _ job: ClaimedJob, _ transaction: Transaction
    ) throws {
        guard try DocumentStore(transaction).findLocked(document) != nil else {
            throw JobFailure.leaseLost
        }
        try job.requireLease(in: transaction)
    }

    /// Whoever gives a generation up waits for the writes that had begun, and no others begin.
    private static func requireActive(
        _ generation: Generation, _ transaction: Transaction
    ) throws {
        guard try GenerationStore(transaction).isActive(generation.number) else {
            throw GenerationIsOver()
        }
    }

    /// A write begins only with more lease left than it may take. Heartbeats make it so.
    private func awaitLease(of job: ClaimedJob) async throws {
        let needed = Duration.seconds(DocumentStore.upsertSeconds + 1)
        let end = ContinuousClock.now + .seconds(10)
        while job.leaseRemaining() < needed {
            guard ContinuousClock.now < end else { throw JobFailure.retry(after: .seconds(1)) }
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}

/// It was given up, or replaced, while a document was being written into it.
private struct GenerationIsOver: Error {}
