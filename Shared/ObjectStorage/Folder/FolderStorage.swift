package import FoundationEssentials
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
            var incoming = try IncomingBytes(byteCountMax: byteCountMax)
            for try await buffer in bytes {
                try incoming.take(buffer)
                try await blocking { try file.write(buffer) }
            }
            let stored = try incoming.finish(key: key)
            try await inFolder { try publish(file, temporary: temporary, key: key) }
            return stored
        } catch {
            await discard(temporary)
            throw ObjectStorageError(puttingFailedBy: error)
        }
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
        return try ObjectBody(FileReader(file: file), range: range, of: byteCount)
    }

    package func contains(key: String) async throws(ObjectStorageError) -> Bool {
        try ObjectKey.requireValid(key)
        let path = "\(root)/\(key)"
        do {
            return try await inFolder {
                _ = try OpenFile.open(path).byteCount()
                return true
            }
        } catch {
            guard case .notFound = error else { throw error }
            return false
        }
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
    ) async throws(ObjectStorageError) -> [ListedObject] {
        try await inFolder {
            var first = FirstKeys(countMax: countMax)
            try FileCalls.forEachFile(under: root) { key in
                guard key.hasPrefix(prefix), key > after ?? "", ObjectKey.isValid(key) else {
                    return
                }
                first.add(key)
            }
            // One that was deleted meanwhile is no object any more.
            return try first.keys.compactMap { key in
                try FileCalls.modificationTime("\(root)/\(key)").map {
                    ListedObject(key: key, storedAt: $0)
                }
            }
        }
    }

    package func removeUnfinished(before: Date) async throws(ObjectStorageError) -> Int {
        let folder = "\(root)/\(Self.incoming)"
        return try await blocking {
            var count = 0
            try FileCalls.forEachFile(under: folder) { name in
                let path = "\(folder)/\(name)"
                guard let time = try FileCalls.modificationTime(path), time < before else {
                    return
                }
                if unlink(path) == 0 { count += 1 }
            }
            return count
        }
    }
}

/// The first keys in order of however many: a folder tells them in any order, and all of them.
private struct FirstKeys {
    let countMax: Int
    private var found: [String] = []
    /// What does not come before it is not among the first.
    private var bound: String?

    init(countMax: Int) { self.countMax = countMax }

    var keys: [String] { Array(found.sorted().prefix(countMax)) }

    mutating func add(_ key: String) {
        if let bound, key >= bound { return }
        found.append(key)
        // Twice as many are held at most, so that sorting them is seldom.
        guard found.count >= 2 * countMax + 1 else { return }
        found = keys
        bound = found.last
    }
}

private struct FileReader: ObjectReader {
    let file: OpenFile
    let pieceByteCount = 128 << 10

    func read(_ range: Range<Int>) async throws(ObjectStorageError) -> ByteBuffer {
        try await blocking { try file.read(range) }
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
