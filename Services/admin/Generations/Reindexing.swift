import Database
import Domain
import HTTPService
import JobQueue
import Logging
import ModelEndpoint
import Postgres
import Retrieval

/// Has documents indexed again by ingest's workers: one, those that need it, or all.
struct Reindexing: Sendable {
    let pool: PostgresPool
    let queue: JobQueue
    let models: ModelEndpoint
    let index: IndexSettings
    /// `QDRANT_COLLECTION`: what the names of collections begin with.
    let collectionBase: String
    let logger: Logger

    /// Enqueued by one request; the next request takes the next ones.
    private static let batchCountMax = 2_000

    /// The job of an upload. One that is waiting already is not queued twice.
    func queue(_ id: Attachment.ID, as request: Repeatable) async throws -> Int {
        try await once(request) { transaction in
            // Locked: two requests at once find each other's job.
            guard
                try DocumentStore(transaction).findLocked(Document.ID(rawValue: id.rawValue))
                    != nil,
                let attachment = try AttachmentStore(transaction).find(id)
            else { throw Problem.attachmentNotFound }
            let open = try JobOverviewStore(transaction).findOpen(
                IndexAttachmentJob.kind, subject: id.description)
            if let open, open.state == .ready { return open.id }
            return try enqueue(attachment, priority: .upload, transaction)
        }
    }

    struct Counts: Codable, Sendable {
        let queued: Int
        let skipped: Int
    }

    /// What failed, is missing in the live index, or was made by an older chunker.
    func queueUnindexed(as request: Repeatable) async throws -> Counts {
        try await once(request) { transaction in
            let store = UnindexedStore(transaction)
            let version = Chunking.version(windowTokenCount: index.windowTokenCount)
            let uploads = try store.listUnindexed(
                chunkingVersion: version, limit: Self.batchCountMax)
            for upload in uploads { try enqueue(upload, priority: .bulk, transaction) }
            let pages = try store.listUnindexedPages(
                chunkingVersion: version, limit: Self.batchCountMax)
            for page in pages {
                try queue.enqueue(
                    ReindexDocumentJob.kind, ReindexDocumentJob(documentID: page),
                    subject: page.description, priority: .bulk, in: transaction)
            }
            let queued = uploads.count + pages.count
            return Counts(queued: queued, skipped: max(0, try store.documentCount() - queued))
        }
    }

    struct Build: Codable, Sendable {
        let generation: Int
        let job: Int
    }

    /// Begins a new generation beside the live one, or finds the one that is being built.
    func buildAll(as request: Repeatable) async throws -> Build {
        let description = try await description()
        do {
            return try await once(request) { try build(description, $0) }
        } catch let error as PostgresError where error.isDuplicate() {
            // Another request began one at the same moment: now it is there to be found.
            return try await once(request) { try build(description, $0) }
        }
    }

    private func description() async throws -> IndexDescription {
        do {
            return try await index.description(asking: models)
        } catch {
            throw Problem.unavailable("The embedding model does not answer.")
        }
    }

    /// Who asks, and under which key, if any.
    struct Repeatable: Sendable {
        let request: Keyed?
        /// What is asked for, to be written down.
        let meaning: String
        let author: AuditAuthor

        struct Keyed: Sendable {
            let principal: Principal
            let request: KeyedRequest
        }
    }

    /// In a transaction, unless the same request came before: then what that one answered.
    private func once<Answer: Codable & Sendable>(
        _ repeatable: Repeatable, _ act: @Sendable (Transaction) throws -> Answer
    ) async throws -> Answer {
        try await pool.transaction { transaction in
            guard let keyed = repeatable.request else {
                return try record(repeatable, transaction, act)
            }
            let store = IdempotencyStore(transaction, for: keyed.principal)
            let answer = try store.once(keyed.request) { try record(repeatable, transaction, act) }
            guard let answer else { throw Problem.keyReused }
            return answer
        }
    }

    private func record<Answer>(
        _ repeatable: Repeatable, _ transaction: Transaction,
        _ act: (Transaction) throws -> Answer
    ) throws -> Answer {
        try AuditStore(transaction).record(
            .reindexRequested, repeatable.meaning, by: repeatable.author)
        return try act(transaction)
    }

    private func build(
        _ description: IndexDescription, _ transaction: Transaction
    ) throws -> Build {
        let store = GenerationStore(transaction)
        if let building = try store.building() {
            let open = try JobOverviewStore(transaction).findOpen(
                BuildGenerationJob.kind, subject: Generation.subject(building.number))
            // Its job may have died: then this request takes the building up again.
            let job = try open?.id ?? enqueue(building, transaction)
            return Build(generation: building.number, job: job)
        }
        let generation = try store.insert(description, collectionBase: collectionBase)
        return Build(
            generation: generation.number, job: try enqueue(generation, transaction))
    }

    private func enqueue(
        _ generation: Generation, _ transaction: Transaction
    ) throws -> Int {
        try queue.enqueue(
            BuildGenerationJob.kind, BuildGenerationJob(number: generation.number),
            subject: Generation.subject(generation.number), priority: .bulk, in: transaction
        ).rawValue
    }

    @discardableResult
    private func enqueue(
        _ attachment: Attachment, priority: JobPriority, _ transaction: Transaction
    ) throws -> Int {
        try UnindexedStore(transaction).setQueued(attachment.id)
        let job = try queue.enqueue(
            IndexAttachmentJob.kind, IndexAttachmentJob(attachmentID: attachment.id),
            subject: attachment.id.description,
            owner: attachment.owner.userID?.rawValue ?? "", priority: priority, in: transaction)
        try transaction.notify(Channel.attachments, attachment.id.description)
        return job.rawValue
    }
}
