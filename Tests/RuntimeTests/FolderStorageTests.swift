import FoundationEssentials
import NIOCore
import ObjectStorage
import Testing

@Suite("Folder storage")
struct FolderStorageTests {
    private let root = "/tmp/celine-storage-\(UUID().uuidString)"
    private let storage: FolderStorage

    init() throws { storage = try FolderStorage(root: root) }

    private func bytes(_ parts: String...) -> AsyncStream<ByteBuffer> {
        AsyncStream { stream in
            for part in parts { stream.yield(ByteBuffer(string: part)) }
            stream.finish()
        }
    }

    private func read(_ key: String, _ range: Range<Int>? = nil) async throws -> String {
        let body = try await storage.get(key: key, range: range)
        var all = ByteBuffer()
        for try await var part in body.bytes { all.writeBuffer(&part) }
        #expect(all.readableBytes == body.byteCount)
        return String(buffer: all)
    }

    private func files() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: root).filter { $0 != ".incoming" }
    }

    @Test("says that it is away, not that objects are missing, while its folder is")
    func away() async throws {
        let root = "/tmp/celine-storage-\(UUID().uuidString)"
        let storage = try FolderStorage(root: root)
        defer { try? FileManager.default.removeItem(atPath: root) }
        _ = try await storage.put(key: "uploads/a", bytes: AsyncStream<ByteBuffer> { $0.yield(ByteBuffer(string: "kept")); $0.finish() }, byteCountMax: 9)
        try FileManager.default.moveItem(atPath: root, toPath: root + ".away")
        let calls: [@Sendable () async throws -> Void] = [
            { _ = try await storage.get(key: "uploads/a", range: nil) },
            { try await storage.delete(key: "uploads/a") },
            { _ = try await storage.put(key: "uploads/b", bytes: AsyncStream<ByteBuffer> { $0.yield(ByteBuffer(string: "kept")); $0.finish() }, byteCountMax: 9) },
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
        #expect(try await storage.list(prefix: "", after: nil, countMax: 9) == ["uploads/a"])
    }

    @Test("gives back what was stored, whole and in part, with its count and hash")
    func stores() async throws {
        let stored = try await storage.put(
            key: "uploads/a", bytes: bytes("hello ", "world"), byteCountMax: 11)
        #expect(stored.byteCount == 11)
        let hash = stored.sha256.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(hash == "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9")
        #expect(try await read("uploads/a") == "hello world")
        #expect(try await read("uploads/a", 6..<9) == "wor")
        #expect(
            try await storage.list(prefix: "uploads/", after: nil, countMax: 9) == ["uploads/a"])
        try await storage.delete(key: "uploads/a")
        try await storage.delete(key: "uploads/a")
        await #expect(throws: ObjectStorageError.self) { try await read("uploads/a") }
    }

    @Test("keeps nothing of bytes over the limit")
    func limit() async throws {
        await #expect(throws: ObjectStorageError.self) {
            try await storage.put(key: "a", bytes: bytes("12", "34"), byteCountMax: 3)
        }
        #expect(try files() == [])
    }

    @Test("keeps nothing when the bytes' source fails")
    func failing() async throws {
        struct Cut: Error {}
        let cut = AsyncThrowingStream<ByteBuffer, any Error> { stream in
            stream.yield(ByteBuffer(string: "12"))
            stream.finish(throwing: Cut())
        }
        await #expect {
            try await storage.put(key: "a", bytes: cut, byteCountMax: 100)
        } throws: { error in
            guard case ObjectStorageError.sourceFailed(let source) = error else { return false }
            return source is Cut
        }
        #expect(try files() == [])
    }

    @Test(
        "refuses keys that could leave the folder",
        arguments: ["", "/a", "a/", "../a", "a/../b", ".incoming/x", "a b", "a\0", "ä"])
    func keys(key: String) async {
        await #expect(throws: ObjectStorageError.self) {
            try await storage.put(key: key, bytes: bytes("x"), byteCountMax: 9)
        }
        await #expect(throws: ObjectStorageError.self) { try await read(key) }
    }

    @Test("is made from a setting, and refuses what it does not know")
    func settings() throws {
        _ = try makeObjectStorage(uri: "file://\(root)/x")
        _ = try makeObjectStorage(uri: "\(root)/y")
        #expect(throws: ObjectStorageError.self) { try makeObjectStorage(uri: "s3://bucket/x") }
    }
}
