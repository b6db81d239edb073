import FoundationEssentials
import NIOCore
import ObjectStorage
import Testing

@Suite("Folder storage")
struct FolderStorageTests {
    @Test("sweeps what a killed process left, and neither younger leftovers nor objects")
    func sweeps() async throws {
        let root = "/tmp/celine-storage-\(UUID().uuidString)"
        let storage = try FolderStorage(root: root)
        defer { try? FileManager.default.removeItem(atPath: root) }
        try await storage.put("a", "kept")
        for name in ["x", "y"] {
            let path = "\(root)/.incoming/\(name)"
            #expect(FileManager.default.createFile(atPath: path, contents: Data("half".utf8)))
        }
        let hourAgo = Date(timeIntervalSinceNow: -3600)
        #expect(try await storage.removeUnfinished(before: hourAgo) == 0)
        #expect(try await storage.removeUnfinished(before: .distantFuture) == 2)
        #expect(try await storage.text("a") == "kept")
    }

    @Test("says that it is away, not that objects are missing, while its folder is")
    func away() async throws {
        let root = "/tmp/celine-storage-\(UUID().uuidString)"
        let storage = try FolderStorage(root: root)
        defer { try? FileManager.default.removeItem(atPath: root) }
        try await storage.put("uploads/a", "kept")
        try FileManager.default.moveItem(atPath: root, toPath: root + ".away")
        let calls: [@Sendable () async throws -> Void] = [
            { _ = try await storage.get(key: "uploads/a", range: nil) },
            { try await storage.delete(key: "uploads/a") },
            { try await storage.put("uploads/b", "new") },
            { _ = try await storage.list(prefix: "", after: nil, countMax: 10) },
        ]
        for call in calls {
            let error = await #expect(throws: ObjectStorageError.self) { try await call() }
            guard case .unavailable = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
        // Nothing has taken its place.
        try FileManager.default.moveItem(atPath: root + ".away", toPath: root)
        #expect(try await storage.text("uploads/a") == "kept")
    }

    @Test("knows folders by their URIs, and no other scheme")
    func uris() {
        #expect(StorageConfiguration.folderPath("file:///x/y") == "/x/y")
        #expect(StorageConfiguration.folderPath("file://./x") == "./x")
        #expect(StorageConfiguration.folderPath("x/y") == "x/y")
        for uri in ["", "file://", "s3://bucket/x", "ftp://x"] {
            #expect(StorageConfiguration.folderPath(uri) == nil)
        }
    }
}
