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
    /// `TRAINING_MATERIALS_REF`.
    let defaultTarget: String
    let logger: Logger

    /// From the request to the answer, the git part included: a client gives up at 60 s.
    static let waitMax = Duration.seconds(50)
    /// One sync at a time, on all replicas: any number that nobody else locks.
    private static let lock: Int64 = 0x7472_6169_6E

    /// Fetches, compares, enqueues, and waits for the workers for what is left of `waitMax`.
    func sync(
        to target: String?, by author: AuditAuthor, waitMax: Duration = waitMax
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
        return TrainingReport(begun, repositoryPath: clone.path, progress: progress)
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
        return try await pool.transaction { transaction in
            let draft = try draft(snapshot, target, clone.remote, transaction)
            let syncs = TrainingSyncStore(transaction)
            guard try syncs.insert(draft) else { throw TrainingFailure.isRunning }
            for page in draft.pages { try enqueue(page.documentID, of: draft.id, transaction) }
            if draft.pages.isEmpty { try flip(draft.id, transaction) }
            try AuditStore(transaction).record(
                .trainingSynced, draft.id.description,
                [
                    "commit": draft.commit, "pages": "\(draft.pages.count)",
                    "removed": "\(draft.removed.count)",
                ], by: author)
            return draft
        }
    }

    private func draft(
        _ snapshot: GitSnapshot, _ target: GitTarget, _ remote: GitRemoteURL,
        _ transaction: Transaction
    ) throws -> TrainingSyncDraft {
        let store = TrainingStore(transaction)
        let url = remote.address
        let changes = TrainingChanges(
            from: try store.pages(), to: snapshot, repositoryURL: url)
        let sync = TrainingSync.ID()
        let new = changes.pages.filter { $0.documentID == nil }.map {
            TrainingChanges.documentID(repositoryURL: url, path: $0.page.path)
        }
        let taken = try TrainingSyncStore(transaction).taken(new)
        let pages = changes.pages.map { changed in
            let path = changed.page.path
            var id =
                changed.documentID
                ?? TrainingChanges.documentID(repositoryURL: url, path: path)
            // A page that went and comes back while its old self is still being erased.
            if changed.documentID == nil, taken.contains(id) {
                id = Document.ID(namespace: sync.rawValue, name: path)
            }
            return TrainingSyncDraft.Page(
                documentID: id, path: path,
                url: remote.page(path, commit: snapshot.commit),
                title: PageTitle.of(changed.page.content, path: path),
                content: changed.page.content, contentHash: changed.contentHash)
        }
        return TrainingSyncDraft(
            id: sync, repositoryURL: url, target: target.name,
            previousCommit: try store.findShownCommit(of: url), commit: snapshot.commit,
            pages: pages, removed: changes.removed, skippedCount: changes.skippedCount,
            refusedCount: snapshot.oversized.count)
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
