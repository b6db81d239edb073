import FoundationEssentials
import Logging
import NIOCore
import ObjectStorage
import Synchronization
import TestSupport

/// Every kind of storage that services may be given.
enum StorageKind: String, CaseIterable, Sendable {
    case folder
    case s3
    case sealedFolder
    case sealedS3

    /// One of its own, empty, that goes afterwards.
    func with(
        _ body: @Sendable (any ObjectStorage) async throws -> Void
    ) async throws {
        switch self {
        case .folder: try await withFolder { try await body($0) }
        case .s3: try await withS3 { try await body($0) }
        case .sealedFolder:
            try await withFolder { try await body(EncryptedStorage($0, keys: [.test(1)])) }
        case .sealedS3: try await withS3 { try await body(EncryptedStorage($0, keys: [.test(1)])) }
        }
    }
}

func withFolder(_ body: (FolderStorage) async throws -> Void) async throws {
    let root = "/tmp/celine-storage-\(UUID().uuidString)"
    let storage = try FolderStorage(root: root)
    do {
        try await body(storage)
    } catch {
        try FileManager.default.removeItem(atPath: root)
        throw error
    }
    try FileManager.default.removeItem(atPath: root)
}

/// Under a prefix of its own in the test server's bucket.
func withS3(
    through relay: Relay? = nil, logger: Logger = .test,
    _ body: (S3Storage) async throws -> Void
) async throws {
    let prefix = "test-\(UUID().uuidString.lowercased())"
    let direct = try S3Storage(.test(prefix: prefix), logger: .test)
    let storage = try relay.map {
        S3Storage(try .test(prefix: prefix, endpoint: $0.url), logger: logger)
    }
    func tidy() async throws {
        _ = try await direct.removeUnfinished(before: .distantFuture)
        for object in try await direct.list(prefix: "", after: nil, countMax: 10_000) {
            try await direct.delete(key: object.key)
        }
    }
    do {
        try await body(storage ?? direct)
    } catch {
        try await tidy()
        throw error
    }
    try await tidy()
}

extension S3Location {
    /// The test server, and its keys unless others are given.
    static func test(
        bucket: String? = nil, prefix: String, endpoint: String? = nil, secret: String? = nil
    ) throws -> S3Location {
        let bucket = try bucket ?? environment("TEST_S3_BUCKET")
        guard let address = S3Address("s3://\(bucket)/\(prefix)") else {
            throw ObjectStorageError.invalidKey
        }
        return S3Location(
            address, endpoint: try endpoint ?? environment("TEST_S3_URL"), region: "us-east-1",
            accessKeyID: try environment("TEST_S3_ACCESS_KEY_ID"),
            secretAccessKey: try secret ?? environment("TEST_S3_SECRET_ACCESS_KEY"),
            certificateFile: nil)
    }
}

extension EncryptionKey {
    /// Always the same one for a number.
    static func test(_ number: UInt8) -> EncryptionKey {
        EncryptionKey(Data((0..<32).map { $0 &* 7 &+ number }).base64EncodedString())!
    }
}

extension ObjectStorage {
    @discardableResult
    func put(_ key: String, _ parts: [ByteBuffer], byteCountMax: Int = 1 << 30) async throws
        -> StoredObject
    {
        try await put(
            key: key, bytes: MadeBytes(parts.map(\.readableBytes)) { parts[$0] },
            byteCountMax: byteCountMax)
    }

    @discardableResult
    func put(_ key: String, _ text: String) async throws -> StoredObject {
        try await put(key, [ByteBuffer(string: text)])
    }

    func read(_ key: String, _ range: Range<Int>? = nil) async throws -> ByteBuffer {
        let body = try await get(key: key, range: range)
        var all = ByteBuffer()
        for try await var part in body.bytes { all.writeBuffer(&part) }
        guard all.readableBytes == body.byteCount else { throw ObjectStorageError.notFound }
        return all
    }

    func text(_ key: String, _ range: Range<Int>? = nil) async throws -> String {
        String(buffer: try await read(key, range))
    }

    var keys: [String] {
        get async throws { try await list(prefix: "", after: nil, countMax: 10_000).map(\.key) }
    }
}

/// Bytes that are made when they are asked for.
struct MadeBytes: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    private let counts: [Int]
    private let make: @Sendable (Int) async throws -> ByteBuffer

    init(_ counts: [Int], make: @escaping @Sendable (Int) async throws -> ByteBuffer) {
        self.counts = counts
        self.make = make
    }

    /// Pieces of 256 KiB that differ from one another.
    static func patterned(
        byteCount: Int, beforeEach: @escaping @Sendable (Int) async throws -> Void = { _ in }
    ) -> MadeBytes {
        let size = 256 << 10
        let counts = stride(from: 0, to: byteCount, by: size).map {
            Swift.min(size, byteCount - $0)
        }
        return MadeBytes(counts) { index in
            try await beforeEach(index)
            return pattern(byteCount: counts[index], seed: index)
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(bytes: self) }

    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let bytes: MadeBytes
        private var index = 0

        fileprivate init(bytes: MadeBytes) { self.bytes = bytes }

        mutating func next() async throws -> ByteBuffer? {
            guard index < bytes.counts.count else { return nil }
            defer { index += 1 }
            return try await bytes.make(index)
        }
    }
}

/// Bytes that tell where they are: blocks that are alike but for their first words.
func pattern(byteCount: Int, seed: Int = 0) -> ByteBuffer {
    var buffer = ByteBufferAllocator().buffer(capacity: byteCount + block.count)
    while buffer.readableBytes < byteCount {
        buffer.writeInteger(seed)
        buffer.writeInteger(buffer.readableBytes)
        buffer.writeBytes(block)
    }
    return buffer.getSlice(at: 0, length: byteCount) ?? ByteBuffer()
}

private let block: [UInt8] = (0..<4080).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 31 >> 3) }

/// Whether the error is the storage's, of this kind.
func isUnavailable(_ error: any Error) -> Bool {
    if case ObjectStorageError.unavailable = error { true } else { false }
}

func isNotFound(_ error: any Error) -> Bool {
    if case ObjectStorageError.notFound = error { true } else { false }
}

func isCorrupt(_ error: any Error) -> Bool {
    if case ObjectStorageError.corrupt = error { true } else { false }
}

func isCancelled(_ error: any Error) -> Bool {
    if case ObjectStorageError.cancelled = error { true } else { false }
}
