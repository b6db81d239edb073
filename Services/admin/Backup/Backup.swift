import Crypto
import Database
import Domain
import FoundationEssentials
import Logging
import NIOCore
import ObjectStorage
import Postgres

/// Writes all rows, of one moment, and the bytes of all uploads to one archive, while everything goes
/// on. Memory is that of a piece, and some 100 bytes for each upload.
struct Backup: Sendable {
    let pool: PostgresPool
    let storage: any ObjectStorage
    let logger: Logger

    func write(to descriptor: Int32) async throws -> BackupSummary {
        try await Migrations.requireCompatible(pool)
        let seconds = Int(Date().timeIntervalSince1970)
        let writer = try BackupWriter(descriptor: descriptor, seconds: seconds)
        // The snapshot lasts no longer than the rows do: it holds back the server's tidying up.
        let uploads = try await pool.withOpenTransaction(.snapshot) { snapshot in
            try await writeRows(of: snapshot, seconds: seconds, to: writer)
            return try await snapshot.run { try StoredBytesStore($0).listStanding() }
        }
        for upload in uploads { try await write(upload, to: writer) }
        try writer.finish()
        try await record(writer.summary)
        return writer.summary
    }

    private func writeRows(
        of snapshot: OpenTransaction, seconds: Int, to writer: BackupWriter
    ) async throws {
        let (version, tables) = try await snapshot.run { transaction in
            (try Migrations.version(transaction).version, try TableStore(transaction).list())
        }
        guard version == Migrations.current else {
            throw BackupFailure.schema(found: version, needed: Migrations.current)
        }
        let manifest = BackupManifest(schemaVersion: version, madeAt: seconds, tables: tables)
        try writer.add(BackupManifest.name, Array(try JSONEncoder.sorted.encode(manifest)))
        for table in tables {
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
    }

    private func write(_ upload: StandingFile, to writer: BackupWriter) async throws {
        guard let body = try await find(upload) else {
            return try await noteMissing(upload, in: writer)
        }
        try writer.begin(BackupEntry.fileName(of: upload.key), byteCount: body.byteCount)
        if try await copy(body, to: writer) != upload.sha256 { noteLost(upload, in: writer) }
        writer.summary.fileCount += 1
        writer.summary.fileByteCount += body.byteCount
    }

    /// Nil when it is gone, or damaged so that nothing of it can be read.
    private func find(_ upload: StandingFile) async throws -> ObjectBody? {
        do {
            return try await storage.get(key: upload.key, range: nil)
        } catch {
            switch error {
            case .notFound, .corrupt: return nil
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

    /// Nil at the end, and where it cannot be read further.
    private func next(_ bytes: inout ObjectBytes.AsyncIterator) async throws -> ByteBuffer? {
        do {
            return try await bytes.next()
        } catch let error as ObjectStorageError {
            guard case .corrupt = error else { throw error }
            return nil
        }
    }

    /// Deleted since the rows were read: it is not to come back. Or lost.
    private func noteMissing(_ upload: StandingFile, in writer: BackupWriter) async throws {
        if try await pool.read({ try AttachmentStore($0).find(upload.id) }) == nil {
            writer.summary.deleted.append(Document.ID(rawValue: upload.id.rawValue))
        } else {
            noteLost(upload, in: writer)
        }
    }

    private func noteLost(_ upload: StandingFile, in writer: BackupWriter) {
        logger.error(
            "the stored bytes of an upload are lost or changed: the archive lacks them",
            metadata: ["attachment.id": "\(upload.id)"])
        writer.summary.lost[UploadKey.name(of: upload.key)] = upload.id
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
