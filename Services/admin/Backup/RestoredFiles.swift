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

    func restore(_ archive: BackupArchive) async throws -> Moves {
        var moves: Moves = []
        var fileCount = 0
        try await archive.visit { entry, bytes in
            guard case .file(let name) = entry, archive.summary.lost[name] == nil else { return }
            let key = UploadKey.prefix + name
            let names = EncryptedStorage.names(of: key)
            let found = try await find(bytes, among: names)
            let place = if let found { found } else { try await put(bytes, as: key) }
            moves += names.filter { $0 != place }.map { (from: $0, to: place) }
            fileCount += 1
        }
        logger.info("files are in the storage", metadata: ["file.count": "\(fileCount)"])
        return moves
    }

    private func put(_ bytes: EntryBytes, as key: String) async throws -> String {
        try await storage.put(key: key, bytes: bytes, byteCountMax: bytes.byteCount).key
    }

    /// An earlier attempt may have put it there, or it was never lost. Nothing of another content is
    /// ever replaced.
    private func find(_ bytes: EntryBytes, among names: [String]) async throws -> String? {
        for name in names where try await storage.contains(key: name) {
            var found = SHA256()
            for try await buffer in try await storage.get(key: name, range: nil).bytes {
                buffer.withUnsafeReadableBytes { found.update(bufferPointer: $0) }
            }
            var expected = SHA256()
            while let piece = try bytes.next() { expected.update(data: piece) }
            guard found.finalize() == expected.finalize() else {
                throw BackupFailure.otherFile(key: name)
            }
            return name
        }
        return nil
    }
}
