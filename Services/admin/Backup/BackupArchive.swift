import Archive
import Database
import Domain
import FoundationEssentials
import NIOCore
import SystemPackage

/// An archive in a file, which is read from its beginning as often as needed.
struct BackupArchive {
    let manifest: BackupManifest
    let summary: BackupSummary
    private let path: String

    private static let documentByteCountMax = 64 << 20

    /// Reads all of it once: whatever is done with it afterwards is done with a whole archive.
    init(path: String) throws {
        self.path = path
        let file = try Self.open(path)
        (manifest, summary) = try file.closeAfter {
            try Self.verify(try TarReader(descriptor: file.rawValue))
        }
    }

    /// Visits the entries in order; what of one is not read is skipped.
    ///
    /// - Parameter take: false when it needs no more of them.
    func visit(_ take: (BackupEntry, EntryBytes) async throws -> Bool) async throws {
        let file = try Self.open(path)
        do {
            let tar = try TarReader(descriptor: file.rawValue)
            while let entry = try tar.next(), entry.name != BackupSummary.name {
                guard let known = BackupEntry(entry.name) else { continue }
                let bytes = EntryBytes(tar: tar, byteCount: entry.byteCount)
                guard try await take(known, bytes) else { break }
            }
            try file.close()
        } catch {
            // What went wrong first is what is told.
            try? file.close()
            throw error
        }
    }

    private static func verify(
        _ tar: TarReader
    ) throws -> (BackupManifest, BackupSummary) {
        guard let first = try tar.next(), first.name == BackupManifest.name else {
            throw BackupFailure.damaged("it is no archive of ours")
        }
        var digest = EntryDigest()
        digest.begin(first.name, byteCount: first.byteCount)
        let bytes = try document(tar)
        bytes.withUnsafeBytes { digest.update($0) }
        let manifest = try decode(BackupManifest.self, bytes)
        guard manifest.format == BackupManifest.currentFormat else {
            throw BackupFailure.otherFormat(manifest.format)
        }
        guard Set(manifest.tables.map(\.name)).count == manifest.tables.count else {
            throw BackupFailure.damaged("it names a table twice")
        }
        while let entry = try tar.next() {
            if entry.name == BackupSummary.name {
                let summary = try decode(BackupSummary.self, try document(tar))
                guard summary.digest == digest.hexadecimal else {
                    throw BackupFailure.damaged("its bytes are not those that were written")
                }
                guard try tar.next() == nil else {
                    throw BackupFailure.damaged("it goes on after its end")
                }
                return (manifest, summary)
            }
            guard BackupEntry(entry.name) != nil else {
                throw BackupFailure.damaged("it has an unknown entry")
            }
            digest.begin(entry.name, byteCount: entry.byteCount)
            while let piece = try tar.read(byteCountMax: EntryBytes.pieceByteCount) {
                piece.withUnsafeBytes { digest.update($0) }
            }
        }
        throw BackupFailure.damaged("its end is missing")
    }

    private static func document(_ tar: TarReader) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let piece = try tar.read(byteCountMax: EntryBytes.pieceByteCount) {
            bytes += piece
            guard bytes.count <= documentByteCountMax else {
                throw BackupFailure.damaged("what it says of itself is too long")
            }
        }
        return bytes
    }

    private static func decode<Value: Decodable>(
        _ type: Value.Type, _ bytes: [UInt8]
    ) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw BackupFailure.damaged("what it says of itself cannot be read")
        }
    }

    private static func open(_ path: String) throws -> SystemPackage.FileDescriptor {
        do {
            return try SystemPackage.FileDescriptor.open(FilePath(path), .readOnly)
        } catch let error as Errno {
            throw BackupFailure.file(path, reason: error.description)
        }
    }
}

/// The bytes of the entry that an archive is at, to be read once.
struct EntryBytes: AsyncSequence, Sendable {
    fileprivate let tar: TarReader
    let byteCount: Int

    fileprivate static let pieceByteCount = 256 << 10

    func next() throws -> [UInt8]? { try tar.read(byteCountMax: Self.pieceByteCount) }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(bytes: self) }

    struct AsyncIterator: AsyncIteratorProtocol {
        let bytes: EntryBytes

        func next() async throws -> ByteBuffer? {
            try Task.checkCancellation()
            return try bytes.next().map { ByteBuffer(bytes: $0) }
        }
    }
}
