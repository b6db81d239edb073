import Database

/// What a sync came to, in the words of the API.
struct TrainingReport: Encodable, Sendable {
    struct Git: Encodable, Sendable {
        let repositoryPath: String
        let target: String
        let previousCommit: String?
        let currentCommit: String

        private enum Key: String, CodingKey {
            case target, updated
            case repositoryPath = "repo_path"
            case previousCommit = "previous_commit"
            case currentCommit = "current_commit"
        }

        func encode(to encoder: any Encoder) throws {
            var body = encoder.container(keyedBy: Key.self)
            try body.encode(repositoryPath, forKey: .repositoryPath)
            try body.encode(target, forKey: .target)
            // Null says that this was the first.
            try body.encode(previousCommit, forKey: .previousCommit)
            try body.encode(currentCommit, forKey: .currentCommit)
            try body.encode(previousCommit != currentCommit, forKey: .updated)
        }
    }

    struct Ingest: Encodable, Sendable {
        let status: String
        let root: String
        let indexed: Int
        let skipped: Int
        let removed: Int
        let failed: Int
        /// Absent when nothing is.
        let pending: Int?
        /// What became of each page; absent unless asked for.
        let files: [File]?
    }

    /// A page, and what the sync did with it.
    struct File: Encodable, Sendable, Hashable {
        enum Status: String, Encodable {
            case indexed, pending, failed, skipped, removed
            case tooLarge = "too_large"
        }

        let path: String
        let status: Status
        var title: String?
        var url: String?
        /// Why it failed.
        var reason: String?

        /// In the order of their paths.
        static func list(_ sync: TrainingSyncDraft, _ unfinished: UnfinishedPages) -> [File] {
            let changed = sync.pages.map { page in
                let reason = unfinished.failed[page.path]
                let isPending = unfinished.pending.contains(page.path)
                return File(
                    path: page.path,
                    status: reason != nil ? .failed : isPending ? .pending : .indexed,
                    title: page.title, url: page.url, reason: reason)
            }
            let skipped = sync.skipped.map {
                File(path: $0.path, status: .skipped, title: $0.title)
            }
            let removed = sync.removed.map {
                File(path: $0.path, status: .removed, title: $0.title)
            }
            let refused = sync.refused.map { File(path: $0, status: .tooLarge) }
            let ambiguous = sync.ambiguous.map {
                File(
                    path: $0, status: .failed,
                    reason: "ambiguous_path: that of another page reads the same")
            }
            let all = changed + skipped + removed + refused + ambiguous
            return all.sorted { $0.path < $1.path }
        }
    }

    let status: String
    let git: Git
    let ingest: Ingest

    var isDone: Bool { ingest.pending == nil }

    init(
        _ sync: TrainingSyncDraft, repositoryPath: String, progress: TrainingSyncProgress,
        files: [File]?
    ) {
        status = progress.isDone ? "ok" : "indexing"
        git = Git(
            repositoryPath: repositoryPath, target: sync.target,
            previousCommit: sync.previousCommit, currentCommit: sync.commit)
        ingest = Ingest(
            status: !progress.isDone ? "indexing" : progress.failedCount == 0 ? "ok" : "partial",
            root: repositoryPath, indexed: progress.indexedCount, skipped: progress.skippedCount,
            removed: progress.removedCount, failed: progress.failedCount,
            pending: progress.isDone ? nil : progress.pendingCount, files: files)
    }
}
