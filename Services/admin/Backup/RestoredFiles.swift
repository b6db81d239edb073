import Crypto
import Domain
import Logging
import NIOCore
import ObjectStorage

/// Puts an archive's files into storage, sealed with this deployment's key where it has one.
struct RestoredFiles: Sendable {
    let storage: any ObjectStorage
    let logger: Logger

    /// Where files are now, by where they may have been: what was sealed may be so no more, or the
    /// other way round.
    typealias Moves = [(from: String, to: String)]

    /// Throws `.otherFiles` when all that can be put there is there.
    func restore(_ archive: BackupArchive) async throws -> Moves {
        var moves: Moves = []
        var others: [String] = []
        var fileCount = 0
        try await archive.visit { entry, bytes in
            guard case .file(let name) = entry, !archive.summary.isVoid(file: name) else {
                return true
            }
            let key = UploadKey.prefix + name
            let names = EncryptedStorage.names(of: key)
            switch try await find(bytes, among: names) {
            case .nothing: moves += Self.moves(names, to: try await put(bytes, as: key))
            case .same(let place): moves += Self.moves(names, to: place)
            case .other(let place): others.append(place)
            }
            fileCount += 1
            return others.count < Self.otherCountMax
        }
        guard others.isEmpty else { throw BackupFailure.otherFiles(keys: others) }
        logger.info("files are in the storage", metadata: ["file.count": "\(fileCount)"])
        return moves
    }

    /// Told of together.
    private static let otherCountMax = 100

    private enum Found {
        case nothing
        case same(String)
        case other(String)
    }

    private static func moves(_ names: [String], to place: String) -> Moves {
        names.filter { $0 != place }.map { (from: $0, to: place) }
    }

    private func put(_ bytes: EntryBytes, as key: String) async throws -> String {
        try await storage.put(key: key, bytes: bytes, byteCountMax: bytes.byteCount).key
    }

    /// An earlier attempt may have put it there, or it was never lost. Nothing of another content is
    /// ever replaced.
    private func find(_ bytes: EntryBytes, among names: [String]) async throws -> Found {
        for name in names where try await storage.contains(key: name) {
            let found = try await hash(name)
            var expected = SHA256()
            while let piece = try bytes.next() { expected.update(data: piece) }
            return found == expected.finalize() ? .same(name) : .other(name)
        }
        return .nothing
    }

    /// Nil when it cannot be read.
    private func hash(_ name: String) async throws -> SHA256Digest? {
        var hash = SHA256()
        do {
            var bytes = try await storage.get(key: name, range: nil).bytes.makeAsyncIterator()
            while let buffer = try await bytes.next() {
                buffer.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
            }
        } catch let error as ObjectStorageError {
            switch error {
            case .corrupt, .sealedWithAnotherKey: return nil
            default: throw error
            }
        }
        return hash.finalize()
    }
}
