import Database
import Domain
import FoundationEssentials
import Logging
import ObjectStorage
import Postgres

/// Uploads against stored files, in the order of their keys.
struct BytesComparison: Sendable {
    let pool: PostgresPool
    let storage: any ObjectStorage
    let repair: Repair?
    let logger: Logger

    private static let uploadCountMax = 2_000
    /// A folder is read as a whole for each page: so these are large, some 100 bytes a file.
    private static let objectCountMax = 10_000
    /// Suspicions that are looked at again together.
    private static let suspectCountMax = 1_000

    func compare(_ findings: inout Findings) async throws {
        let moment = Date(timeIntervalSinceNow: -Double(UploadKey.abandonedSeconds))
        var missing: [StoredUpload] = []
        var orphaned: [String] = []
        var pairCount = 0
        var sides = SideBySide(uploads, objects) { upload, object in
            upload.key == object.key ? 0 : upload.key < object.key ? -1 : 1
        }
        while let pair = try await sides.next() {
            pairCount += 1
            switch pair {
            case .left(let upload):
                findings.count { $0.attachmentCount += 1 }
                if !upload.isDeleted { missing.append(upload) }
            case .both:
                findings.count {
                    $0.attachmentCount += 1
                    $0.objectCount += 1
                }
            case .right(let object):
                findings.count { $0.objectCount += 1 }
                if object.storedAt < moment { orphaned.append(object.key) }
            }
            if missing.count >= Self.suspectCountMax {
                try await lookAgain(at: missing, &findings)
                missing = []
            }
            if orphaned.count >= Self.suspectCountMax {
                try await lookAgain(at: orphaned, &findings)
                orphaned = []
            }
            if pairCount.isMultiple(of: Self.uploadCountMax) { try await findings.reach(0.5) }
        }
        try await lookAgain(at: missing, &findings)
        try await lookAgain(at: orphaned, &findings)
    }

    private var uploads: PagedList<StoredUpload, String> {
        let pool = pool
        return PagedList { after in
            let page = try await pool.read {
                try StoredBytesStore($0).list(after: after, limit: Self.uploadCountMax)
            }
            return (page, page.count < Self.uploadCountMax ? nil : page.last?.key)
        }
    }

    private var objects: PagedList<ListedObject, String> {
        let storage = storage
        return PagedList { after in
            let page = try await storage.list(
                prefix: UploadKey.prefix, after: after, countMax: Self.objectCountMax)
            return (page.filter { UploadKey.isOurs($0.key) }, page.last?.key)
        }
    }

    /// Bytes go after the row is a tombstone: a row that is alive afterwards lacks them.
    private func lookAgain(
        at suspects: [StoredUpload], _ findings: inout Findings
    ) async throws {
        for upload in suspects {
            guard try await !storage.contains(key: upload.key) else { continue }
            let isAlive = try await pool.read { try AttachmentStore($0).find(upload.id) != nil }
            guard isAlive else { continue }
            findings.add(
                .missingBytes,
                .init(
                    upload.id.description, document: Document.ID(rawValue: upload.id.rawValue),
                    repair: repair == nil ? nil : .impossible))
        }
    }

    /// The row of one that is a day old has come, or never will.
    private func lookAgain(
        at keys: [String], _ findings: inout Findings
    ) async throws {
        guard !keys.isEmpty else { return }
        let isForeign = try await !isOurs()
        let named = try await pool.read { try AttachmentStore($0).storageKeys(among: keys) }
        if isForeign {
            logger.error(
                "the database names none of the stored files: this may be the wrong one",
                metadata: ["object.count": "\(keys.count)"])
        }
        for key in keys where !named.contains(key) {
            guard try await storage.contains(key: key) else { continue }
            findings.add(
                .orphanedBytes,
                .init(
                    UploadKey.name(of: key),
                    detail: isForeign ? "The database names none of the stored files." : nil,
                    repair: try await repair?.delete(key, isForeign: isForeign)))
        }
    }

    /// Whether the database names any of the stored files: if not, it may be the wrong one.
    private func isOurs() async throws -> Bool {
        for key in try await pool.read({ try StoredBytesStore($0).listSample() }) {
            if try await storage.contains(key: key) { return true }
        }
        return false
    }
}
