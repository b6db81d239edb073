import Crypto
import FoundationEssentials
import Glibc
package import NIOCore
import NIOPosix

/// Objects as files of one folder, which processes may share.
///
/// Bytes go to a file beside the objects, reach the disk, and then take their name in one step.
package struct FolderStorage: ObjectStorage {
    /// No key begins with a dot, so this is no object.
    private static let incoming = ".incoming"
    private let root: String

    package init(root: String) throws(ObjectStorageError) {
        guard !root.isEmpty else { throw .unusable("the folder has no name") }
        self.root = root.count > 1 && root.hasSuffix("/") ? String(root.dropLast()) : root
        try FileCalls.makeFolders("\(self.root)/\(Self.incoming)")
    }

    package func put<Bytes: AsyncSequence & Sendable>(
        key: String, bytes: Bytes, byteCountMax: Int
    ) async throws(ObjectStorageError) -> StoredObject where Bytes.Element == ByteBuffer {
        try ObjectKey.requireValid(key)
        let temporary = "\(root)/\(Self.incoming)/\(UUID().uuidString.lowercased())"
        do {
            let file = try await inFolder { try OpenFile.create(temporary) }
            let stored = try await write(bytes, to: file, byteCountMax: byteCountMax)
            try await inFolder { try publish(file, temporary: temporary, key: key) }
            return stored
        } catch {
            await discard(temporary)
            throw error as? ObjectStorageError ?? .sourceFailed(error)
        }
    }

    private func write<Bytes: AsyncSequence & Sendable>(
        _ bytes: Bytes, to file: OpenFile, byteCountMax: Int
    ) async throws -> StoredObject where Bytes.Element == ByteBuffer {
        var hash = SHA256()
        var byteCount = 0
        for try await buffer in bytes {
            byteCount += buffer.readableBytes
            guard byteCount <= byteCountMax else {
                throw ObjectStorageError.tooLarge(byteCountMax: byteCountMax)
            }
            buffer.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
            try await blocking { try file.write(buffer) }
        }
        // A cancelled task's sequence may end as if it were whole.
        try Task.checkCancellation()
        return StoredObject(byteCount: byteCount, sha256: Array(hash.finalize()))
    }

    /// What is named survives a power cut: first the bytes, then the name, then the folders.
    private func publish(
        _ file: OpenFile, temporary: String, key: String
    ) throws(ObjectStorageError) {
        try file.synchronize()
        var folders = [root]
        for part in key.split(separator: "/").dropLast() {
            folders.append("\(folders.last ?? root)/\(part)")
        }
        // Not the root: where it is away, nothing is to take its place.
        for folder in folders.dropFirst() {
            guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw FileCalls.failure() }
        }
        guard rename(temporary, "\(root)/\(key)") == 0 else { throw FileCalls.failure() }
        for folder in folders.reversed() { try OpenFile.open(folder).synchronize() }
    }

    /// With the folder itself away, a volume that is not mounted say, no object is known to be missing.
    private func inFolder<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws(ObjectStorageError) -> Value {
        let mark = "\(root)/\(Self.incoming)"
        return try await blocking {
            do {
                return try body()
            } catch ObjectStorageError.notFound where access(mark, F_OK) != 0 {
                throw ObjectStorageError.unavailable("the folder is away")
            }
        }
    }

    private func discard(_ path: String) async {
        // What remains is no object; a file that cannot be removed harms nobody.
        try? await blocking { _ = unlink(path) }
    }

    package func get(
        key: String, range: Range<Int>?
    ) async throws(ObjectStorageError) -> ObjectBody {
        try ObjectKey.requireValid(key)
        let path = "\(root)/\(key)"
        let (file, byteCount) = try await inFolder {
            let file = try OpenFile.open(path)
            return (file, try file.byteCount())
        }
        let wanted = range ?? 0..<byteCount
        guard wanted.lowerBound >= 0, wanted.upperBound <= byteCount else {
            throw .rangeNotSatisfiable(byteCount: byteCount)
        }
        return ObjectBody(
            byteCount: wanted.count, bytes: ObjectBytes(file: file, range: wanted))
    }

    package func delete(key: String) async throws(ObjectStorageError) {
        try ObjectKey.requireValid(key)
        let path = "\(root)/\(key)"
        let folder = path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex)
        do {
            try await inFolder {
                guard unlink(path) == 0 else { throw FileCalls.failure() }
                try OpenFile.open(String(folder)).synchronize()
            }
        } catch {
            guard case .notFound = error else { throw error }
        }
    }

    package func list(
        prefix: String, after: String?, countMax: Int
    ) async throws(ObjectStorageError) -> [String] {
        let keys = try await inFolder { try FileCalls.files(under: root, "") }
        return Array(
            keys.filter { $0.hasPrefix(prefix) && $0 > after ?? "" }.sorted().prefix(countMax))
    }
}

/// An object's bytes, read a piece at a time, for any number of readers.
package struct ObjectBytes: AsyncSequence, Sendable {
    package typealias Element = ByteBuffer
    static let pieceByteCount = 128 << 10

    let file: OpenFile
    let range: Range<Int>

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(file: file, range: range)
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        let file: OpenFile
        var range: Range<Int>

        package mutating func next() async throws -> ByteBuffer? {
            guard !range.isEmpty else { return nil }
            try Task.checkCancellation()
            let (file, offset) = (file, range.lowerBound)
            let count = Swift.min(range.count, pieceByteCount)
            let buffer = try await blocking { try file.read(at: offset, byteCount: count) }
            // A file that became shorter is not the object that was stored.
            guard buffer.readableBytes > 0 else {
                throw ObjectStorageError.unavailable("the object is cut short")
            }
            range = (offset + buffer.readableBytes)..<range.upperBound
            return buffer
        }
    }
}

/// Runs file calls on threads made for waiting. Not cancelled, so that tidying up always happens.
func blocking<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
) async throws(ObjectStorageError) -> Value {
    let result: Result<Value, any Error> = await withCheckedContinuation { waiting in
        NIOThreadPool.singleton.submit { state in
            switch state {
            case .active: waiting.resume(returning: Result { try body() })
            case .cancelled:
                waiting.resume(returning: .failure(ObjectStorageError.unavailable("stopping")))
            }
        }
    }
    do {
        return try result.get()
    } catch {
        throw error as? ObjectStorageError ?? .unavailable("a file call failed")
    }
}
