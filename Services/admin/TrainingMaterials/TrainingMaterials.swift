import Database
import Domain
import Git
import JobQueue
import Logging
import Postgres

/// Brings what is shown of the training materials to a commit of their repository.
struct TrainingMaterials: Sendable {
    let pool: PostgresPool
    let queue: JobQueue
    let listener: PostgresListener
    /// Nil when no repository is configured.
    let clone: GitClone?
    /// Where a site made of the materials is served, if one is.
    let site: String?
    /// `TRAINING_MATERIALS_REF`.
    let defaultTarget: String
    let logger: Logger

    /// From the request to the answer, the git part included: a client gives up at 60 s.
    static let waitMax = Duration.seconds(50)
    /// One sync at a time, on all replicas: any number that nobody else locks.
    private static let lock: Int64 = 0x7472_6169_6E

    /// Fetches, compares, enqueues, and waits for the workers for what is left of `waitMax`.
    ///
    /// - Parameter isVerbose: whether the report names every page.
    func sync(
        to target: String?, by author: AuditAuthor, isVerbose: Bool = false,
        waitMax: Duration = waitMax
    ) async throws -> TrainingReport {
        let end = ContinuousClock.now + waitMax
        guard let clone else { throw TrainingFailure.noRepository }
        let name = target ?? defaultTarget
        guard let target = GitTarget(name) else { throw TrainingFailure.invalidTarget }
        let begun = try await pool.withAdvisoryLock(Self.lock, waitMax: .zero) {
            try await begin(target, clone, author)
        }
        guard let begun else { throw TrainingFailure.isRunning }
        logger.info(
            "training materials sync began",
            metadata: [
                "sync.id": "\(begun.id)", "page.count": "\(begun.pages.count)",
                "page.removed": "\(begun.removed.count)",
            ])
        let progress = try await wait(for: begun.id, until: end)
        return TrainingReport(
            begun, repositoryPath: clone.path, progress: progress,
            files: isVerbose ? try await files(of: begun) : nil)
    }

    /// Whether a replica has begun a sync to the usual target in the last seconds.
    func wasSynced(withinSeconds seconds: Int) async throws -> Bool {
        guard let target = GitTarget(defaultTarget) else { return false }
        return try await pool.read {
            try TrainingStore($0).wasBegun(withinSeconds: seconds, target: target.name)
        }
    }

    private func files(of sync: TrainingSyncDraft) async throws -> [TrainingReport.File] {
        let unfinished = try await pool.read { try TrainingStore($0).unfinished(of: sync.id) }
        return TrainingReport.File.list(sync, unfinished)
    }

    /// Under the lock: nobody else touches the clone or begins a sync.
    private func begin(
        _ target: GitTarget, _ clone: GitClone, _ author: AuditAuthor
    ) async throws -> TrainingSyncDraft {
        // Before git: a sync that is being indexed needs no fetch to be refused.
        guard try await pool.read({ try TrainingStore($0).findRunning() }) == nil else {
            throw TrainingFailure.isRunning
        }
        let snapshot = try await clone.snapshot(of: target)
        let pages = try TrainingPages(
            of: snapshot, from: clone.remote, site: site,
            byteCountMax: clone.limits.contentByteCountMax
        ).pages
        return try await pool.transaction { transaction in
            let draft = try draft(
                snapshot, pages, target, url: clone.remote.address, transaction)
            let syncs = TrainingSyncStore(transaction)
            guard try syncs.insert(draft) else { throw TrainingFailure.isRunning }
            for page in draft.pages { try enqueue(page.documentID, of: draft.id, transaction) }
            if draft.pages.isEmpty { try flip(draft.id, transaction) }
            try record(draft, by: author, transaction)
            return draft
        }
    }

    /// What changed nothing and nobody asked for is not worth a record: it comes every minute perhaps.
    private func record(
        _ draft: TrainingSyncDraft, by author: AuditAuthor, _ transaction: Transaction
    ) throws {
        guard author != .schedule || !draft.pages.isEmpty || !draft.removed.isEmpty else { return }
        try AuditStore(transaction).record(
            .trainingSynced, draft.id.description,
            [
                "commit": draft.commit, "pages": "\(draft.pages.count)",
                "removed": "\(draft.removed.count)",
            ], by: author)
    }

    private func draft(
        _ snapshot: GitSnapshot, _ pages: [TrainingPages.Page], _ target: GitTarget, url: String,
        _ transaction: Transaction
    ) throws -> TrainingSyncDraft {
        let store = TrainingStore(transaction)
        let changes = TrainingChanges(
            from: try store.pages(), to: pages, oversized: snapshot.oversized, repositoryURL: url)
        let sync = TrainingSync.ID()
        let new = changes.changes.filter { $0.documentID == nil }.map {
            TrainingChanges.documentID(repositoryURL: url, path: $0.page.path)
        }
        let taken = try TrainingSyncStore(transaction).taken(new)
        let drafts = changes.changes.map { change in
            let page = change.page
            var id =
                change.documentID
                ?? TrainingChanges.documentID(repositoryURL: url, path: page.path)
            // A page that went and comes back while its old self is still being erased.
            if change.documentID == nil, taken.contains(id) {
                id = Document.ID(namespace: sync.rawValue, name: page.path)
            }
            return TrainingSyncDraft.Page(
                documentID: id, path: page.path, url: page.url, title: page.title,
                content: page.content, contentHash: page.hash, tags: page.tags)
        }
        return TrainingSyncDraft(
            id: sync, repositoryURL: url, target: target.name,
            previousCommit: try store.findShownCommit(of: url), commit: snapshot.commit,
            pages: drafts, removed: changes.removed, skipped: changes.skipped,
            refused: snapshot.oversized, ambiguous: snapshot.ambiguous)
    }

    /// Nothing to index: what goes, goes in the transaction that found it.
    private func flip(_ sync: TrainingSync.ID, _ transaction: Transaction) throws {
        let generations = try GenerationStore(transaction).lockActive().map(\.number)
        let step = try TrainingSyncStore(transaction).flipIfComplete(
            sync, generations: generations)
        guard case .flipped(let flip) = step else { return }
        for page in flip.erased {
            try queue.enqueue(
                EraseDocumentJob.kind, EraseDocumentJob(documentID: page),
                subject: page.description, priority: .erase, in: transaction)
        }
    }

    private func enqueue(
        _ page: Document.ID, of sync: TrainingSync.ID, _ transaction: Transaction
    ) throws {
        try queue.enqueue(
            IndexTrainingPageJob.kind, IndexTrainingPageJob(syncID: sync, documentID: page),
            subject: page.description, priority: .training, in: transaction)
    }

    /// How far the sync is when it is done, or at `end`.
    private func wait(
        for sync: TrainingSync.ID, until end: ContinuousClock.Instant
    ) async throws -> TrainingSyncProgress {
        // Listening begins before the first look, so that nothing happens unheard between them.
        let news = listener.notifications(on: TrainingStore.channel)
        if let done = try await findDone(sync) { return done }
        let waiting = SignalWait(news: news, payload: sync.description)
        let done = await waiting.first(until: end) {
            // Away for a moment: the next look may succeed.
            try? await findDone(sync)
        }
        if let done { return done }
        guard let progress = try await pool.read({ try TrainingStore($0).find(sync) }) else {
            throw PostgresError.undecodable(column: "training_syncs.id")
        }
        return progress
    }

    private func findDone(_ sync: TrainingSync.ID) async throws -> TrainingSyncProgress? {
        let progress = try await pool.read { try TrainingStore($0).find(sync) }
        return progress?.isDone == true ? progress : nil
    }
}

/// Why a sync did not begin. What was shown stays.
enum TrainingFailure: Error, Hashable {
    case noRepository
    case invalidTarget
    case isRunning
}
