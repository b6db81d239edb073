import Database
import Domain
import JobQueue
import Logging
import ObjectStorage
import Postgres
import Qdrant

/// Compares Postgres, the vector engine and object storage, and mends what can be mended.
///
/// Both sides of each comparison are read page by page in the order of their keys, so that memory
/// does not grow with what is stored. Everything may go on meanwhile: a difference is a suspicion,
/// until it is looked at again between two reads of Postgres that say the same.
struct StoreComparison: Sendable {
    let pool: PostgresPool
    let queue: JobQueue
    let qdrant: Qdrant
    let storage: any ObjectStorage
    /// `QDRANT_COLLECTION`: what the names of collections begin with.
    let collectionBase: String
    let logger: Logger
    /// What may be on its way is looked at again after so long: a lease, and the longest write.
    var settleSeconds = Self.settleSeconds

    static let settleSeconds = 30

    /// Any number that nobody else locks.
    private static let lock: Int64 = 0x6365_6C69_636F
    /// Collections, bytes and deletions: beside the generations.
    private static let otherPartCount = 3

    /// Nil when somebody else is comparing, in whatever process.
    ///
    /// - Parameter tell: how far it is, now and then; what it throws ends the comparison.
    func run(
        repairs: Bool, tell: @escaping (ConsistencyReport) async throws -> Void = { _ in }
    ) async throws -> ConsistencyReport? {
        try await pool.withAdvisoryLock(Self.lock, waitMax: .zero) {
            try await compare(repairs ? repair : nil, tell)
        }
    }

    private func compare(
        _ repair: Repair?, _ tell: @escaping (ConsistencyReport) async throws -> Void
    ) async throws -> ConsistencyReport {
        let generations = try await pool.read { try GenerationStore($0).list() }
            .filter { $0.state != .dropped }
        var findings = Findings(partCount: generations.count + Self.otherPartCount, tell: tell)
        let settling = Settling(seconds: settleSeconds)

        try await findings.begin("collections")
        let collections = CollectionComparison(
            pool: pool, qdrant: qdrant, base: collectionBase, repair: repair)
        let suspects = try await collections.look(&findings)

        for generation in generations {
            try await findings.begin("points of generation \(generation.number)")
            let index = IndexComparison(
                pool: pool, qdrant: qdrant, generation: generation, repair: repair,
                settling: settling)
            try await index.compare(&findings)
        }
        try await findings.begin("stored files")
        try await BytesComparison(pool: pool, storage: storage, repair: repair, logger: logger)
            .compare(&findings)
        try await findings.begin("deletions")
        try await compareDeletions(repair, &findings)
        try await collections.lookAgain(at: suspects, settling, &findings)
        return findings.finish()
    }

    private var repair: Repair {
        Repair(pool: pool, queue: queue, qdrant: qdrant, storage: storage)
    }

    /// A tombstone and the job that takes it away come and go together: one look tells.
    private func compareDeletions(_ repair: Repair?, _ findings: inout Findings) async throws {
        let pageCountMax = 1_000
        let count = try await pool.read { try StoredBytesStore($0).deletionCount() }
        findings.count { $0.deletionCount = count }
        var last: Document.ID?
        while true {
            let page = try await pool.read { [last] in
                try StoredBytesStore($0).listUnfinishedDeletions(after: last, limit: pageCountMax)
            }
            try await repair?.erase(page)
            for id in page {
                findings.add(
                    .unfinishedDeletions,
                    .init(
                        id.description, document: id, repair: repair == nil ? nil : .queued))
            }
            guard page.count == pageCountMax else { return }
            last = page.last
        }
    }
}

/// The time that is given to what may be on its way.
struct Settling: Sendable {
    let seconds: Int

    /// Returns when so much has passed since a moment.
    func wait(since moment: ContinuousClock.Instant) async throws {
        try await Task.sleep(until: moment + .seconds(seconds))
    }
}
