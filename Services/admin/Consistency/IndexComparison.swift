import Database
import Domain
import FoundationEssentials
import Postgres
import Qdrant

/// What one generation shows, against the points of its collection: both in the order of ids, since
/// a chunk's id is its point's.
struct IndexComparison: Sendable {
    let pool: PostgresPool
    let qdrant: Qdrant
    let generation: Generation
    let repair: Repair?
    let settling: Settling

    private static let chunkCountMax = 2_000
    /// Suspicions that are looked at again together.
    private static let suspectCountMax = 1_000
    /// Those that have to wait first: 50 bytes each.
    private static let waitingCountMax = 50_000

    /// What looks wrong, until it is looked at again.
    private struct Suspects {
        /// Without a point, or with one that describes another.
        var chunks: [IndexedChunk] = []
        /// Without a vector: one statement saw it, so there is no more to look at.
        var vectorless: [IndexedChunk] = []
        /// Points without a chunk that is shown.
        var strays: [SuspectedPoint] = []
        /// Those of them that nothing explains, and when the youngest was seen.
        var waiting: [SuspectedPoint] = []
        var seenAt = ContinuousClock.now
    }

    func compare(_ findings: inout Findings) async throws {
        var counted = ConsistencyReport.Generation(generation)
        var suspects = Suspects()
        var sides = SideBySide(chunks, points) { chunk, point in
            let id = PointID(chunk.id)
            return id == point.id ? 0 : id < point.id ? -1 : 1
        }
        while let pair = try await sides.next() {
            switch pair {
            case .left(let chunk):
                counted.chunkCount += 1
                suspects.chunks.append(chunk)
                note(chunk, &suspects)
            case .both(let chunk, let point):
                counted.chunkCount += 1
                counted.pointCount += 1
                if !point.differences(from: PointPayload(chunk)).isEmpty {
                    suspects.chunks.append(chunk)
                }
                note(chunk, &suspects)
            case .right(let point):
                counted.pointCount += 1
                suspects.strays.append(
                    SuspectedPoint(id: point.id, document: point.documentID))
            }
            try await lookAgain(at: &suspects, &findings)
            if (counted.chunkCount + counted.pointCount).isMultiple(of: Self.chunkCountMax) {
                try await findings.reach(Self.place(of: pair))
            }
        }
        try await lookAgain(at: &suspects, isOver: true, &findings)
        findings.count { [counted] in $0.generations.append(counted) }
    }

    /// Nobody fills a retired index again: it needs no vectors.
    private func note(_ chunk: IndexedChunk, _ suspects: inout Suspects) {
        if !chunk.hasVector, generation.state != .retired { suspects.vectorless.append(chunk) }
    }

    private var chunks: PagedList<IndexedChunk, Chunk.ID> {
        let (pool, generation) = (pool, generation)
        return PagedList { after in
            let page = try await pool.read(deadline: .seconds(30)) {
                try ConsistencyStore($0).listChunks(
                    shownIn: generation, after: after, limit: Self.chunkCountMax)
            }
            return (page.chunks, page.next)
        }
    }

    private var points: PagedList<StoredPoint, PointID> {
        let (qdrant, collection) = (qdrant, generation.collection)
        return PagedList { from in
            do {
                let page = try await patiently {
                    try await qdrant.scroll(collection, from: from)
                }
                return (page.points, page.next)
            } catch QdrantError.notFound {
                // Nothing is there: each chunk is then looked for by itself.
                return ([], nil)
            }
        }
    }

    /// Ids are digests, so that the first bytes of one tell how many come before it.
    private static func place(
        of pair: SideBySide<IndexedChunk, Chunk.ID, StoredPoint, PointID>.Pair
    ) -> Double {
        let id =
            switch pair {
            case .left(let chunk), .both(let chunk, _): chunk.id.rawValue
            case .right(let point): point.id.uuid ?? Tenant.only.rawValue
            }
        return (Double(id.uuid.0) * 256 + Double(id.uuid.1)) / 65_536
    }

    private func lookAgain(
        at suspects: inout Suspects, isOver: Bool = false, _ findings: inout Findings
    ) async throws {
        if suspects.chunks.count >= Self.suspectCountMax || isOver {
            try await lookAgain(atChunks: suspects.chunks, &findings)
            suspects.chunks = []
        }
        if suspects.vectorless.count >= Self.suspectCountMax || isOver {
            let queued = try await reindex(suspects.vectorless)
            for chunk in suspects.vectorless {
                findings.add(.missingVectors, example(chunk, repair: queued[chunk.document]))
            }
            suspects.vectorless = []
        }
        if suspects.strays.count >= Self.suspectCountMax || isOver {
            let unexplained = try await findUnexplained(suspects.strays)
            suspects.waiting += suspects.strays.filter { unexplained[$0.id] != nil }
            suspects.strays = []
            suspects.seenAt = .now
        }
        if suspects.waiting.count >= Self.waitingCountMax || isOver && !suspects.waiting.isEmpty {
            // A worker that lost its lease may be taking back what it wrote.
            try await settling.wait(since: suspects.seenAt)
            for start in stride(from: 0, to: suspects.waiting.count, by: Self.suspectCountMax) {
                let batch = suspects.waiting[start...].prefix(Self.suspectCountMax)
                try await lookAgain(atPoints: Array(batch), &findings)
            }
            suspects.waiting = []
        }
    }

    /// Points are written before what shows them, and go after it: what is shown alike before and
    /// after the engine said that there is none, lacks it.
    private func lookAgain(
        atChunks suspects: [IndexedChunk], _ findings: inout Findings
    ) async throws {
        guard !suspects.isEmpty else { return }
        let ids = suspects.map(\.id)
        let number = generation.number
        let before = try await pool.read { try ConsistencyStore($0).findShown(ids, in: number) }
        let found = try await patiently {
            try await qdrant.find(ids.map { PointID($0) }, in: generation.collection)
        }
        let after = try await pool.read { try ConsistencyStore($0).findShown(ids, in: number) }
        let faults = ids.compactMap { id -> (IndexedChunk, [StoredPoint.Difference]?)? in
            guard let chunk = before[id], after[id] == chunk else { return nil }
            guard let point = found[PointID(id)] else { return (chunk, nil) }
            let differences = point.differences(from: PointPayload(chunk))
            return differences.isEmpty ? nil : (chunk, differences)
        }
        let queued = try await reindex(faults.map(\.0))
        for (chunk, differences) in faults {
            let kind: Inconsistency =
                differences.map { $0.contains(where: \.isOfOwner) ? .wrongOwners : .wrongPayloads }
                ?? .missingPoints
            let detail = differences?.map(\.rawValue).joined(separator: ", ")
            findings.add(kind, example(chunk, detail: detail, repair: queued[chunk.document]))
        }
    }

    /// A point may come before what shows it, and stay a moment after: nothing that does, or is
    /// about to, must be there before and after the engine said that it has the point.
    private func lookAgain(
        atPoints suspects: [SuspectedPoint], _ findings: inout Findings
    ) async throws {
        let number = generation.number
        let before = try await findUnexplained(suspects)
        let found = try await patiently {
            try await qdrant.find(Array(before.keys), in: generation.collection)
        }
        let left = suspects.filter { found[$0.id] != nil }
        let after = try await findUnexplained(left)
        let orphans = left.compactMap { point in
            after[point.id].map { SuspectedPoint(id: point.id, document: $0) }
        }
        try await repair?.sweep(orphans, in: number)
        for orphan in orphans {
            findings.add(
                .orphanedPoints,
                .init(
                    orphan.id.description, generation: number, document: orphan.document,
                    repair: repair == nil ? nil : .queued))
        }
    }

    private func findUnexplained(
        _ points: [SuspectedPoint]
    ) async throws -> [PointID: Document.ID] {
        if points.isEmpty { return [:] }
        let number = generation.number
        return try await pool.read {
            try ConsistencyStore($0).findUnexplained(
                points, in: number,
                heeding: SweepRevisionsJob.indexingKinds + [SweepRevisionsJob.kind])
        }
    }

    /// By document. Nobody writes into a retired generation.
    private func reindex(
        _ chunks: [IndexedChunk]
    ) async throws -> [Document.ID: ConsistencyReport.Repair] {
        guard let repair, !chunks.isEmpty else { return [:] }
        let documents = Set(chunks.map(\.document))
        if generation.state != .retired { try await repair.reindex(documents) }
        let outcome: ConsistencyReport.Repair =
            generation.state == .retired ? .impossible : .queued
        return Dictionary(uniqueKeysWithValues: documents.map { ($0, outcome) })
    }

    private func example(
        _ chunk: IndexedChunk, detail: String? = nil, repair: ConsistencyReport.Repair?
    ) -> ConsistencyReport.Example {
        .init(
            chunk.id.description, generation: generation.number, document: chunk.document,
            detail: detail, repair: repair)
    }
}

extension PointPayload {
    fileprivate init(_ chunk: IndexedChunk) {
        self.init(
            documentID: chunk.document, revisionID: chunk.revision, owner: chunk.owner,
            kind: chunk.kind, language: chunk.language)
    }
}
