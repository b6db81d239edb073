import Crypto
import Database
import Domain
import FoundationEssentials
import Logging
import NIOCore
import ObjectStorage
import Postgres

/// Writes all rows, of one moment, and the bytes of all uploads to one archive, while everything goes
/// on. Memory is that of a piece, and some 200 bytes for each upload.
struct Backup: Sendable {
    let pool: PostgresPool
    let storage: any ObjectStorage
    let logger: Logger

    private static let uploadCountMax = 10_000

    func write(to descriptor: Int32) async throws -> BackupSummary {
        let version = try await pool.read { try Migrations.version($0).version }
        guard version <= Migrations.current else {
            throw BackupFailure.schemaAhead(found: version, known: Migrations.current)
        }
        let seconds = Int(Date().timeIntervalSince1970)
        let writer = try BackupWriter(descriptor: descriptor, seconds: seconds)
        let uploads = try await writeRows(to: writer, seconds: seconds)
        for upload in uploads { try await write(upload, to: writer) }
        try await noteDeleted(uploads, in: writer)
        try writer.finish()
        try await record(writer.summary)
        return writer.summary
    }

    /// The snapshot lasts no longer than the rows do: it holds back the server's tidying up.
    ///
    /// - Returns: the uploads of that moment.
    func writeRows(to writer: BackupWriter, seconds: Int) async throws -> [StandingFile] {
        let tables = try await pool.read { try TableStore($0).list() }
        return try await pool.withOpenTransaction(.snapshot) { snapshot in
            let (version, uploads) = try await snapshot.run(deadline: .seconds(120)) {
                transaction in
                let store = TableStore(transaction)
                try store.lockShape(of: tables)
                guard try store.list() == tables else { throw PostgresError.busy }
                return (
                    try Migrations.version(transaction).version,
                    try StoredBytesStore(transaction).listStanding()
                )
            }
            let manifest = BackupManifest(schemaVersion: version, madeAt: seconds, tables: tables)
            try writer.add(BackupManifest.name, Array(try JSONEncoder.sorted.encode(manifest)))
            for table in tables { try await write(table, of: snapshot, to: writer) }
            return uploads
        }
    }

    private func write(
        _ table: StoredTable, of snapshot: OpenTransaction, to writer: BackupWriter
    ) async throws {
        var (part, rowCount) = (0, 0)
        try await snapshot.copyOut(table.copyOut) { rows in
            part += 1
            // In the text format a line's end is a row's end: those in values are escaped.
            rowCount += rows.count { $0 == UInt8(ascii: "\n") }
            try writer.add(BackupEntry.rowsName(table.name, part: part), rows)
        }
        writer.summary.rows[table.name] = rowCount
        logger.info(
            "table is in the archive",
            metadata: ["table.name": "\(table.name)", "row.count": "\(rowCount)"])
    }

    private func write(_ upload: StandingFile, to writer: BackupWriter) async throws {
        let name = UploadKey.name(of: upload.key)
        guard let body = try await find(upload) else {
            writer.summary.lost[name] = upload.id
            return
        }
        try writer.begin(BackupEntry.fileName(of: upload.key), byteCount: body.byteCount)
        if try await copy(body, to: writer) != upload.sha256 {
            writer.summary.lost[name] = upload.id
        }
        writer.summary.fileCount += 1
        writer.summary.fileByteCount += body.byteCount
    }

    /// What somebody deleted since the rows were read is not lost, and is not to come back.
    private func noteDeleted(_ uploads: [StandingFile], in writer: BackupWriter) async throws {
        var rest = uploads[...]
        while !rest.isEmpty {
            let batch = rest.prefix(Self.uploadCountMax)
            rest = rest.dropFirst(batch.count)
            let deleted = try await pool.read {
                try StoredBytesStore($0).listDeleted(among: batch.map(\.id))
            }
            for upload in batch where deleted.contains(upload.id) {
                let name = UploadKey.name(of: upload.key)
                writer.summary.deleted[name] = upload.id
                writer.summary.lost[name] = nil
            }
        }
        for id in writer.summary.lost.values {
            logger.error(
                "the stored bytes of an upload are lost or changed: the archive lacks them",
                metadata: ["attachment.id": "\(id)"])
        }
    }

    /// Nil when it is gone, or damaged so that nothing of it can be read.
    private func find(_ upload: StandingFile) async throws -> ObjectBody? {
        do {
            return try await storage.get(key: upload.key, range: nil)
        } catch {
            switch error {
            case .notFound, .corrupt, .sealedWithAnotherKey: return nil
            default: throw error
            }
        }
    }

    /// Returns the hash of what was written. The entry's length is said already: what cannot be read of
    /// a damaged file is filled up, and nothing of it used.
    private func copy(_ body: ObjectBody, to writer: BackupWriter) async throws -> [UInt8] {
        var hash = SHA256()
        var restCount = body.byteCount
        var bytes = body.bytes.makeAsyncIterator()
        while restCount > 0, let buffer = try await next(&bytes) {
            try writer.write(buffer.readableBytesView)
            buffer.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
            restCount -= buffer.readableBytes
        }
        while restCount > 0 {
            let filling = [UInt8](repeating: 0, count: min(restCount, 1 << 20))
            try writer.write(filling)
            restCount -= filling.count
        }
        return Array(hash.finalize())
    }

    /// Nil at the end, and where it cannot be read further: damaged, or deleted this moment.
    private func next(_ bytes: inout ObjectBytes.AsyncIterator) async throws -> ByteBuffer? {
        do {
            return try await bytes.next()
        } catch let error as ObjectStorageError {
            switch error {
            case .notFound, .corrupt: return nil
            default: throw error
            }
        }
    }

    private func record(_ summary: BackupSummary) async throws {
        try await pool.transaction { transaction in
            try AuditStore(transaction).record(
                .backupMade, "",
                ["files": "\(summary.fileCount)", "lost": "\(summary.lost.count)"],
                by: .commandLine)
        }
    }
}
