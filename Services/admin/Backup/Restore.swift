import Database
import Domain
import JobQueue
import Logging
import NIOCore
import ObjectStorage
import Postgres
import Qdrant

/// Brings back what an archive holds: files, rows, and the index made of them.
///
/// Files come before the rows that name them, and the rows come all together or not at all. What is
/// cut short is begun again: files that are there are found to be the same.
struct Restore: Sendable {
    let pool: PostgresPool
    let storage: any ObjectStorage
    let qdrant: Qdrant
    let queue: JobQueue
    /// `QDRANT_COLLECTION`: the archive's own is left behind.
    let collectionBase: String
    let logger: Logger

    /// - Parameter replacesIndex: whether collections of this deployment's name may go.
    /// - Returns: how many points the index has now.
    func restore(_ archive: BackupArchive, replacesIndex: Bool = false) async throws -> Int {
        let needed = archive.manifest.schemaVersion
        guard needed <= Migrations.current else {
            throw BackupFailure.newerArchive(schema: needed, known: Migrations.current)
        }
        // Asked for last, but nothing is begun that could not be ended.
        if replacesIndex {
            try await qdrant.requireReachable()
        } else {
            try await filling.requireRoom()
        }
        // The rows go into the schema that they are from; later migrations then see them.
        try await Migrations.run(pool, through: needed, logger: logger)
        try await requireEmpty(archive)
        let files = RestoredFiles(storage: storage, logger: logger)
        let moved = try await files.restore(archive)
        try await restoreRows(archive, moved)
        try await Migrations.run(pool, logger: logger)
        return try await filling.fill()
    }

    /// Only the index, from rows that are there: for a restore that was cut short at its end.
    func restoreIndex() async throws -> Int {
        try await Migrations.requireCompatible(pool)
        try await pool.read { session in
            guard try !TableStore(session).isWorkedOn() else { throw BackupFailure.isRunning }
        }
        return try await filling.fill()
    }

    private var filling: IndexFilling {
        IndexFilling(pool: pool, qdrant: qdrant, collectionBase: collectionBase, logger: logger)
    }

    private func requireEmpty(_ archive: BackupArchive) async throws {
        let tables = archive.manifest.tables
        try await pool.read {
            try Self.requireEmpty(tables, needed: archive.manifest.schemaVersion, $0)
        }
    }

    private static func requireEmpty(
        _ tables: [StoredTable], needed: Int, _ session: Session
    ) throws {
        let found = try Migrations.version(session).version
        guard found == needed else { throw BackupFailure.schema(found: found, needed: needed) }
        let store = TableStore(session)
        // Names that go into statements come from the server's own catalogue, not from a file.
        guard try Set(store.list()) == Set(tables) else {
            throw BackupFailure.damaged("its tables are not those of its schema")
        }
        if let table = try store.findFilled(tables) { throw BackupFailure.notEmpty(table: table) }
        if try store.isWorkedOn() { throw BackupFailure.isRunning }
    }

    private func restoreRows(
        _ archive: BackupArchive, _ moved: [(from: String, to: String)]
    ) async throws {
        let (tables, summary) = (archive.manifest.tables, archive.summary)
        let version = archive.manifest.schemaVersion
        try await pool.withOpenTransaction(.write) { transaction in
            try await transaction.run { transaction in
                let store = TableStore(transaction)
                try store.lock(tables)
                try Self.requireEmpty(tables, needed: version, transaction)
                try store.empty(tables)
            }
            try await copyRows(archive, into: transaction)
            try await transaction.run(deadline: .seconds(600)) { transaction in
                let store = TableStore(transaction)
                try store.analyse(tables)
                for table in tables { try store.advanceIdentities(of: table) }
                try StoredBytesStore(transaction).move(moved)
                try renameCollections(transaction)
                try forget(summary.deleted.values, transaction)
                try AuditStore(transaction).record(
                    .backupRestored, "", ["made_at": "\(archive.manifest.madeAt)"],
                    by: .commandLine)
                try transaction.notify(Channel.generations, "")
            }
        }
        logger.info("rows are restored", metadata: ["table.count": "\(tables.count)"])
    }

    /// Parts of a table follow each other, and tables that others refer to come first.
    private func copyRows(
        _ archive: BackupArchive, into transaction: OpenTransaction
    ) async throws {
        var rows: [String: Int] = [:]
        let tables = Dictionary(uniqueKeysWithValues: archive.manifest.tables.map { ($0.name, $0) })
        try await archive.visit { entry, bytes in
            // Files come after all rows, and may take hours to read: not while rows are locked.
            guard case .rows(let name) = entry else { return false }
            guard let table = tables[name] else {
                throw BackupFailure.damaged("it has rows of an unknown table")
            }
            rows[name, default: 0] += try await transaction.copyIn(table.copyIn) {
                try Task.checkCancellation()
                return try bytes.next()
            }
            return true
        }
        guard rows == archive.summary.rows.filter({ $0.value > 0 }) else {
            throw BackupFailure.damaged("it lacks rows")
        }
    }

    /// Two deployments with one engine differ by it.
    private func renameCollections(_ transaction: Transaction) throws {
        let store = GenerationStore(transaction)
        for generation in try store.list() {
            let name = generation.index.collection(base: collectionBase, number: generation.number)
            try store.setCollection(generation.number, name)
        }
    }

    /// What was deleted while the archive was being written stays deleted.
    private func forget(
        _ uploads: some Sequence<Attachment.ID>, _ transaction: Transaction
    ) throws {
        let documents = uploads.map { Document.ID(rawValue: $0.rawValue) }
        for id in try DocumentStore(transaction).delete(documents) {
            try queue.enqueue(
                EraseDocumentJob.kind, EraseDocumentJob(documentID: id), subject: id.description,
                priority: .erase, in: transaction)
        }
    }
}
