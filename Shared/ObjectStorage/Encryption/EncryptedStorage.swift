package import FoundationEssentials
package import NIOCore

/// Keeps objects sealed in another storage, with keys that never go there.
///
/// The name tells what is sealed: an object stored as `a` is found as `a.sealed`, and whoever keeps
/// that name keeps it outside the storage. So what was stored before there was a key stays readable,
/// while nobody who can write to the storage can pass off plain bytes as a sealed object.
package struct EncryptedStorage: ObjectStorage {
    static let suffix = ".sealed"
    private let storage: any ObjectStorage
    /// The first seals, all open.
    private let keys: [EncryptionKey]

    /// - Parameter keys: without any, new objects are stored as they are, and sealed ones are
    ///   refused, not handed out.
    package init(_ storage: any ObjectStorage, keys: [EncryptionKey]) {
        self.storage = storage
        self.keys = keys
    }

    /// The names under which an object that was put as `key` may be, sealed or not.
    package static func names(of key: String) -> [String] { [key, key + suffix] }

    package func put<Bytes: AsyncSequence & Sendable>(
        key: String, bytes: Bytes, byteCountMax: Int
    ) async throws(ObjectStorageError) -> StoredObject where Bytes.Element == ByteBuffer {
        // A plain object of such a name could never be read.
        guard !key.hasSuffix(Self.suffix) else { throw .invalidKey }
        guard let sealing = keys.first else {
            return try await storage.put(key: key, bytes: bytes, byteCountMax: byteCountMax)
        }
        let name = key + Self.suffix
        let sealed = SealedBytes(bytes, name: name, key: sealing, byteCountMax: byteCountMax)
        _ = try await storage.put(
            key: name, bytes: sealed,
            byteCountMax: SealedLayout(plainByteCount: byteCountMax).sealedByteCount)
        guard let stored = sealed.stored else { throw .unavailable("the bytes were not all read") }
        return stored
    }

    package func get(
        key: String, range: Range<Int>?
    ) async throws(ObjectStorageError) -> ObjectBody {
        guard key.hasSuffix(Self.suffix) else {
            return try await storage.get(key: key, range: range)
        }
        let sealed = try await storage.get(key: key, range: nil)
        let layout = try SealedLayout(sealedByteCount: sealed.byteCount)
        let reader = sealed.bytes.reader
        let header = try SealedHeader(try await reader.read(0..<SealedHeader.byteCount))
        guard let opening = keys.first(where: { $0.id == header.keyID }) else {
            throw .sealedWithAnotherKey
        }
        let opened = OpeningReader(
            sealed: reader, layout: layout, header: header, key: opening, name: key)
        // Nobody reads bytes of an empty one, so nobody else would find that its end is missing.
        if layout.plainByteCount == 0 { _ = try await opened.read(0..<0) }
        return try ObjectBody(opened, range: range, of: layout.plainByteCount)
    }

    package func contains(key: String) async throws(ObjectStorageError) -> Bool {
        try await storage.contains(key: key)
    }

    package func delete(key: String) async throws(ObjectStorageError) {
        try await storage.delete(key: key)
    }

    package func list(
        prefix: String, after: String?, countMax: Int
    ) async throws(ObjectStorageError) -> [ListedObject] {
        try await storage.list(prefix: prefix, after: after, countMax: countMax)
    }

    package func removeUnfinished(before: Date) async throws(ObjectStorageError) -> Int {
        try await storage.removeUnfinished(before: before)
    }
}

/// Reads the frames that are wanted and opens them.
private struct OpeningReader: ObjectReader {
    let sealed: any ObjectReader
    let layout: SealedLayout
    let header: SealedHeader
    let key: EncryptionKey
    let name: String

    /// Whole frames.
    var pieceByteCount: Int {
        let size = SealedLayout.frameByteCount
        return max(size, sealed.pieceByteCount / size * size)
    }

    func read(_ range: Range<Int>) async throws(ObjectStorageError) -> ByteBuffer {
        let frames = layout.frames(of: range)
        var input = try await sealed.read(layout.sealedRange(of: frames))
        let cipher = try FrameCipher(key, header: header, name: name)
        var plain = ByteBufferAllocator().buffer(
            capacity: frames.count * SealedLayout.frameByteCount)
        for frame in frames {
            guard let bytes = input.readSlice(length: layout.sealedByteCount(of: frame)) else {
                throw .corrupt("a sealed frame is cut short")
            }
            var opened = try cipher.open(bytes, frame: frame, isLast: layout.isLast(frame))
            plain.writeBuffer(&opened)
        }
        plain.moveReaderIndex(
            forwardBy: range.lowerBound - frames.lowerBound * SealedLayout.frameByteCount)
        guard let wanted = plain.readSlice(length: range.count) else {
            throw .corrupt("a sealed frame is cut short")
        }
        return wanted
    }
}
