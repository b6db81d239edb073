import Database
import Domain
import JobQueue
import ObjectStorage
import Postgres
import Qdrant

/// Mends what a comparison found. Points and rows are left to ingest's workers, which have the locks
/// for it: here is only what no worker touches.
struct Repair: Sendable {
    let pool: PostgresPool
    let queue: JobQueue
    let qdrant: Qdrant
    let storage: any ObjectStorage

    /// Documents of one transaction.
    private static let batchCountMax = 200
    /// Points named by one job: 40 KB.
    private static let pointCountMax = 1_000

    /// Has every point of some documents written anew, once however often it is asked.
    func reindex(_ documents: Set<Document.ID>) async throws {
        try await inBatches(documents) { id, transaction in
            let store = DocumentStore(transaction)
            // Locked: it cannot be deleted before the job is there to be cancelled.
            guard let document = try store.findLocked(id),
                try !store.hasOpenJob(id, of: [ReindexDocumentJob.kind, IndexAttachmentJob.kind])
            else { return }
            try queue.enqueue(
                ReindexDocumentJob.kind, ReindexDocumentJob(documentID: id),
                subject: id.description, owner: document.owner.userID?.rawValue ?? "",
                priority: .bulk, in: transaction)
        }
    }

    /// Has points removed that nothing shows, and with them what else of their documents nothing
    /// does: the worker looks again, at a time when nobody indexes them.
    func sweep(_ points: [SuspectedPoint], in generation: Int) async throws {
        let byDocument = Dictionary(grouping: points, by: \.document)
        try await inBatches(Set(byDocument.keys)) { id, transaction in
            var rest = (byDocument[id] ?? [])[...]
            while !rest.isEmpty {
                let ids = rest.prefix(Self.pointCountMax).map(\.id)
                rest = rest.dropFirst(ids.count)
                let orphans = SweepRevisionsJob.OrphanedPoints(generation: generation, ids: ids)
                try queue.enqueue(
                    SweepRevisionsJob.kind, SweepRevisionsJob(documentID: id, orphans: orphans),
                    subject: id.description, priority: .bulk, in: transaction)
            }
        }
    }

    /// Has deletions finished whose jobs died.
    func erase(_ documents: [Document.ID]) async throws {
        try await inBatches(Set(documents)) { id, transaction in
            guard try !DocumentStore(transaction).hasOpenJob(id, of: [EraseDocumentJob.kind]) else {
                return
            }
            try queue.enqueue(
                EraseDocumentJob.kind, EraseDocumentJob(documentID: id), subject: id.description,
                priority: .erase, in: transaction)
        }
    }

    /// In one order, so that two who lock the same wait for each other only once.
    private func inBatches(
        _ documents: Set<Document.ID>,
        _ mend: @Sendable (Document.ID, Transaction) throws -> Void
    ) async throws {
        var rest = documents.sorted { $0.rawValue < $1.rawValue }[...]
        while !rest.isEmpty {
            let batch = Array(rest.prefix(Self.batchCountMax))
            rest = rest.dropFirst(batch.count)
            try await pool.transaction { transaction in
                for id in batch { try mend(id, transaction) }
            }
        }
    }

    /// Empty: its points are found missing then. Nobody writes into a retired one.
    func makeCollection(_ generation: Generation) async throws -> ConsistencyReport.Repair {
        guard generation.state != .retired else { return .impossible }
        try await qdrant.ensureCollection(
            generation.collection, dimensionCount: generation.index.dimensionCount)
        return .done
    }

    /// - Parameter isForeign: it may be another deployment's, and stays.
    func dropCollection(
        _ name: String, isForeign: Bool
    ) async throws -> ConsistencyReport.Repair {
        if isForeign { return .impossible }
        try await qdrant.deleteCollection(name)
        return .done
    }

    /// - Parameter isForeign: it may be another deployment's, and stays.
    func delete(_ key: String, isForeign: Bool) async throws -> ConsistencyReport.Repair {
        if isForeign { return .impossible }
        try await storage.delete(key: key)
        return .done
    }
}
