import AsyncAlgorithms
import Database
import Domain
import Foundation
import JobQueue
import NIOCore
import ObjectStorage
import Postgres
import Qdrant
import TestSupport

@testable import Admin

/// Archives, and what is restored from them elsewhere.
extension AdminWorld {
    /// A file with its bytes, shown by no index.
    func storedUpload(
        _ name: String, _ text: String, in storage: (any ObjectStorage)? = nil
    ) async throws -> Attachment.ID {
        let stored = try await (storage ?? admin.storage).put(UploadKey.new(), text)
        let id = Attachment.ID()
        try await pool.transaction { transaction in
            _ = try AttachmentStore(transaction).insert(
                NewAttachment(
                    id: id, owner: .user(User.ID(rawValue: "alice")), filename: name,
                    contentType: "text/plain", byteCount: stored.byteCount,
                    sha256: stored.sha256, storageKey: stored.key))
        }
        return id
    }

    func key(of id: Attachment.ID) async throws -> String {
        try await pool.read {
            try $0.run("SELECT storage_key FROM attachments WHERE id = \(id)").first?
                .get("storage_key") ?? ""
        }
    }

    /// Where it is.
    func backup(_ backup: Backup? = nil) async throws -> URL {
        let file = folder.appending(path: "\(UUID().uuidString).tar.zst")
        guard FileManager.default.createFile(atPath: file.path, contents: nil) else {
            throw CocoaError(.fileWriteUnknown)
        }
        let handle = try FileHandle(forWritingTo: file)
        _ = try await (backup ?? admin.backup).write(to: handle.fileDescriptor)
        try handle.close()
        return file
    }

    /// A database without a schema, an empty folder, and another name in the same engine.
    func intoEmptyDatabase(
        base: String? = nil, _ body: (Restore) async throws -> Void
    ) async throws {
        let base = base ?? "test_restored_\(UUID().uuidString.lowercased())"
        let elsewhere = folder.appending(path: "elsewhere-\(UUID().uuidString)")
        let storage = try makeObjectStorage(
            StorageConfiguration(place: .folder(elsewhere.path)), logger: .test)
        try await withEmptyDatabase { configuration in
            let pool = PostgresPool(
                configuration, connectionCountMax: 4, waitMax: .seconds(5), logger: .test)
            try await closing(pool) {
                try await body(
                    Restore(
                        pool: pool, storage: storage, qdrant: admin.qdrant, queue: JobQueue(),
                        collectionBase: base, logger: .test))
            }
        }
        for name in try await admin.qdrant.collectionNames() where name.hasPrefix(base) {
            try await admin.qdrant.deleteCollection(name)
        }
    }
}

extension ObjectStorage {
    @discardableResult
    func put(_ key: String, _ text: String) async throws -> StoredObject {
        try await put(
            key: key, bytes: [ByteBuffer(string: text)].async, byteCountMax: text.utf8.count)
    }
}

/// Where a member deletes a file while all are being read.
struct DeletingStorage: ObjectStorage {
    let storage: any ObjectStorage
    let pool: PostgresPool
    let victim: Attachment.ID
    /// Or before.
    let opensFirst: Bool

    func get(key: String, range: Range<Int>?) async throws(ObjectStorageError) -> ObjectBody {
        let opened = opensFirst ? try await storage.get(key: key, range: range) : nil
        do {
            let id = Document.ID(rawValue: victim.rawValue)
            let tombstone = try await pool.transaction { transaction in
                _ = try DocumentStore(transaction).delete(id)
                return try DocumentStore(transaction).findTombstone(id)
            }
            if let key = tombstone?.storageKey { try await storage.delete(key: key) }
        } catch {
            throw .unavailable("\(error)")
        }
        if let opened { return opened }
        return try await storage.get(key: key, range: range)
    }

    func put<Bytes: AsyncSequence & Sendable>(
        key: String, bytes: Bytes, byteCountMax: Int
    ) async throws(ObjectStorageError) -> StoredObject where Bytes.Element == ByteBuffer {
        try await storage.put(key: key, bytes: bytes, byteCountMax: byteCountMax)
    }

    func contains(key: String) async throws(ObjectStorageError) -> Bool {
        try await storage.contains(key: key)
    }

    func delete(key: String) async throws(ObjectStorageError) {
        try await storage.delete(key: key)
    }

    func list(
        prefix: String, after: String?, countMax: Int
    ) async throws(ObjectStorageError) -> [ListedObject] {
        try await storage.list(prefix: prefix, after: after, countMax: countMax)
    }

    func removeUnfinished(before: Date) async throws(ObjectStorageError) -> Int {
        try await storage.removeUnfinished(before: before)
    }
}
