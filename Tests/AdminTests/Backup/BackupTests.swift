import Archive
import Database
import Domain
import Foundation
import NIOCore
import ObjectStorage
import Postgres
import Qdrant
import TestSupport
import Testing

@testable import Admin

@Suite("An archive of everything") struct BackupTests {
    @Test("that is cut, changed, goes on after its end or is none of ours is refused as it is read")
    func damaged() async throws {
        try await AdminWorld.run(works: false) { world in
            _ = try await world.storedUpload("a.txt", "some bytes")
            let bytes = try Data(contentsOf: try await world.backup())
            var changed = bytes
            changed[bytes.count / 2] ^= 0x20
            let cases: [(String, Data)] = [
                ("cut", bytes.prefix(bytes.count / 2)), ("cut at its end", bytes.dropLast(12)),
                ("changed", changed), ("text", Data("no archive".utf8)), ("empty", Data()),
            ]
            let file = world.folder.appending(path: "damaged.tar.zst")
            for (name, bytes) in cases {
                try bytes.write(to: file)
                #expect("\(name)") { try BackupArchive(path: file.path) } throws: {
                    $0 is BackupFailure || $0 is TarError
                }
            }
            #expect(throws: BackupFailure.self) { try BackupArchive(path: "/nowhere/at/all") }
        }
    }

    @Test("whose rows are not all there, or are refused by Postgres, leaves nothing")
    func badRows() async throws {
        try await AdminWorld.run(works: false) { world in
            _ = try await world.storedUpload("a.txt", "some bytes")
            let file = world.folder.appending(path: "bad.tar.zst")
            let bad: [(name: String, rows: String, count: Int)] = [
                ("missing", "", 1), ("no row", "one column\n", 1),
            ]
            for (name, rows, count) in bad {
                try await writing(file) { writer in
                    try await addManifest(of: world.pool, to: writer)
                    if !rows.isEmpty { try writer.add("rows/documents/000001", Array(rows.utf8)) }
                    writer.summary.rows["documents"] = count
                }
                let archive = try BackupArchive(path: file.path)
                try await world.intoEmptyDatabase { restore in
                    await #expect(throws: (any Error).self, "\(name)") {
                        _ = try await restore.restore(archive)
                    }
                    let filled = try await restore.pool.read { session in
                        try TableStore(session).findFilled(try TableStore(session).list())
                    }
                    #expect(filled == nil)
                }
            }
        }
    }

    @Test("whose rows follow a file is refused: rows are not locked while files are read")
    func rowsAfterFiles() async throws {
        try await AdminWorld.run(works: false) { world in
            let id = try await world.storedUpload("a.txt", "some bytes")
            let name = BackupEntry.fileName(of: try await world.key(of: id))
            let file = world.folder.appending(path: "rows-last.tar.zst")
            try await writing(file) { writer in
                let tables = try await addManifest(of: world.pool, to: writer)
                try writer.add(name, Array("some bytes".utf8))
                let documents = try #require(tables.first { $0.name == "documents" })
                try await world.pool.withOpenTransaction(.snapshot) { snapshot in
                    try await snapshot.copyOut(documents.copyOut) {
                        try writer.add(BackupEntry.rowsName(documents.name, part: 1), $0)
                    }
                }
                writer.summary.rows[documents.name] = 1
            }
            let archive = try BackupArchive(path: file.path)
            try await world.intoEmptyDatabase { restore in
                await #expect(throws: BackupFailure.damaged("it lacks rows")) {
                    _ = try await restore.restore(archive)
                }
            }
        }
    }

    @Test("fills an index of its own name, and leaves that of another deployment alone")
    func anotherName() async throws {
        try await AdminWorld.run(works: false) { world in
            let live = try await world.live()
            try await world.admin.qdrant.ensureCollection(live.collection, dimensionCount: 384)
            _ = try await world.store("a.md", by: "alice", chunkCount: 3, in: [live])
            let archive = try BackupArchive(path: try await world.backup().path)
            let base = "test_restored_\(UUID().uuidString.lowercased())"
            try await world.intoEmptyDatabase(base: base) { restore in
                #expect(try await restore.restore(archive) == 3)
                let own = try await restore.pool.read { try GenerationStore($0).live() }
                #expect(own?.collection == live.index.collection(base: base, number: 1))
                #expect(try await restore.qdrant.count(in: own?.collection ?? "") == 3)
                #expect(try await world.admin.qdrant.count(in: live.collection) == 3)

                // The same name again, from another database: only when it is said to be nobody's.
                try await withEmptyDatabase { configuration in
                    let pool = PostgresPool(
                        configuration, connectionCountMax: 4, waitMax: .seconds(5), logger: .test)
                    try await closing(pool) {
                        let second = Restore(
                            pool: pool, storage: restore.storage, qdrant: restore.qdrant,
                            queue: restore.queue, collectionBase: base, logger: .test)
                        await #expect(throws: BackupFailure.indexExists([own?.collection ?? ""])) {
                            _ = try await second.restore(archive)
                        }
                        let version = try await pool.read { try Migrations.version($0).version }
                        #expect(version == 0)
                        let points = try await second.restore(archive, replacesIndex: true)
                        #expect(points == 3)
                        let again = try await second.restoreIndex()
                        #expect(again == 3)
                    }
                }
            }
            try await world.removeCollections()
        }
    }

    @Test("is not restored over what somebody has done")
    func inUse() async throws {
        try await AdminWorld.run(works: false) { world in
            _ = try await world.storedUpload("a.txt", "some bytes")
            let archive = try BackupArchive(path: try await world.backup().path)
            await #expect(throws: BackupFailure.notEmpty(table: "audit_records")) {
                _ = try await world.admin.restore.restore(archive)
            }
            #expect(try await world.get("/admin/generations").status == 200)
        }
    }

    @Test("is restored once; a second time finds a database in use")
    func twice() async throws {
        try await AdminWorld.run(works: false) { world in
            let id = try await world.storedUpload("a.txt", "some bytes")
            let archive = try BackupArchive(path: try await world.backup().path)
            #expect(archive.summary.fileCount == 1 && archive.summary.lost.isEmpty)
            #expect(archive.summary.rows["attachments"] == 1)
            try await world.intoEmptyDatabase { restore in
                _ = try await restore.restore(archive)
                let back = try await restore.pool.read { try AttachmentStore($0).find(id) }
                #expect(back?.filename == "a.txt")
                await #expect(throws: BackupFailure.self) {
                    _ = try await restore.restore(archive)
                }
            }
        }
    }

    @Test("says which bytes are lost or changed, and does not bring those back")
    func lost() async throws {
        try await AdminWorld.run(works: false) { world in
            let whole = try await world.storedUpload("a.txt", "some bytes")
            let lost = try await world.storedUpload("b.txt", "lost bytes")
            let changed = try await world.storedUpload("c.txt", "true bytes")
            try await world.admin.storage.delete(key: try await world.key(of: lost))
            try Data("false ones".utf8).write(
                to: world.folder.appending(path: try await world.key(of: changed)))
            let archive = try BackupArchive(path: try await world.backup().path)
            #expect(Set(archive.summary.lost.values) == [lost, changed])
            let keys = try await [world.key(of: whole), world.key(of: changed)]
            try await world.intoEmptyDatabase { restore in
                _ = try await restore.restore(archive)
                #expect(try await restore.storage.contains(key: keys[0]))
                #expect(try await !restore.storage.contains(key: keys[1]))
                for id in [whole, lost, changed] {
                    let back = try await restore.pool.read { try AttachmentStore($0).find(id) }
                    #expect(back != nil)
                }
            }
        }
    }

    @Test(
        "does not bring back what was deleted while it was being written", arguments: [false, true])
    func deletedMeanwhile(opensFirst: Bool) async throws {
        try await AdminWorld.run(works: false) { world in
            // In S3, where what is gone is gone for those who read it too.
            let storage = try s3Storage()
            let kept = try await world.storedUpload("a.txt", "kept", in: storage)
            let gone = try await world.storedUpload("b.txt", "gone", in: storage)
            let deleting = DeletingStorage(
                storage: storage, pool: world.pool, victim: gone, opensFirst: opensFirst)
            let backup = Backup(pool: world.pool, storage: deleting, logger: .test)
            let archive = try BackupArchive(path: try await world.backup(backup).path)
            #expect(Array(archive.summary.deleted.values) == [gone])
            #expect(archive.summary.lost.isEmpty)
            try await world.intoEmptyDatabase { restore in
                _ = try await restore.restore(archive)
                try await restore.pool.read { session in
                    #expect(try AttachmentStore(session).find(kept) != nil)
                    #expect(try AttachmentStore(session).find(gone) == nil)
                    let erasing = try DocumentStore(session).hasOpenJob(
                        Document.ID(rawValue: gone.rawValue), of: [EraseDocumentJob.kind])
                    #expect(erasing)
                }
                let files = try await restore.storage.list(prefix: "", after: nil, countMax: 9)
                #expect(files.count == 1)
            }
        }
    }

    private func s3Storage() throws -> any ObjectStorage {
        let bucket = try environment("TEST_S3_BUCKET")
        let address = S3Address("s3://\(bucket)/admin-\(UUID().uuidString.lowercased())")
        let location = S3Location(
            try #require(address), endpoint: try environment("TEST_S3_URL"), region: "us-east-1",
            accessKeyID: try environment("TEST_S3_ACCESS_KEY_ID"),
            secretAccessKey: try environment("TEST_S3_SECRET_ACCESS_KEY"), certificateFile: nil)
        return try makeObjectStorage(StorageConfiguration(place: .s3(location)), logger: .test)
    }

    @Test("leaves a file alone that is there, and refuses one of the same name that differs")
    func filesThatAreThere() async throws {
        try await AdminWorld.run(works: false) { world in
            let id = try await world.storedUpload("a.txt", "some bytes")
            let archive = try BackupArchive(path: try await world.backup().path)
            let key = try await world.key(of: id)
            try await world.intoEmptyDatabase { restore in
                try await restore.storage.put(key, "some others")
                await #expect(throws: BackupFailure.otherFiles(keys: [key])) {
                    _ = try await restore.restore(archive)
                }
                let documentCount = try await restore.pool.read {
                    try UnindexedStore($0).documentCount()
                }
                #expect(documentCount == 0)
                try await restore.storage.delete(key: key)
                try await restore.storage.put(key, "some bytes")
                _ = try await restore.restore(archive)
                #expect(try await restore.pool.read { try AttachmentStore($0).find(id) } != nil)
            }
        }
    }

    @Test("of an older schema goes through the migrations that came after it")
    func older() async throws {
        try await AdminWorld.run(works: false) { world in
            let file = world.folder.appending(path: "older.tar.zst")
            let version = 12
            try await withEmptyDatabase { configuration in
                let pool = PostgresPool(
                    configuration, connectionCountMax: 2, waitMax: .seconds(5), logger: .test)
                try await closing(pool) {
                    try await Migrations.run(pool, through: version, logger: .test)
                    try await pool.read { session in
                        try session.run(
                            script: """
                                INSERT INTO conversations (id, user_id, title) VALUES
                                    ('7d1f0e4e-3b51-4f0e-9a4e-111111111111', 'alice', 'Sun');
                                INSERT INTO messages (id, conversation_id, role, content, status)
                                VALUES (gen_random_uuid(), '7d1f0e4e-3b51-4f0e-9a4e-111111111111',
                                        'user', E'tab\\t, line\\n, back\\\\slash', 'complete');
                                INSERT INTO documents (id, kind, owner_user_id, title) VALUES
                                    ('7d1f0e4e-3b51-4f0e-9a4e-222222222222', 'upload', 'alice', 'gone');
                                INSERT INTO attachments (id, owner_user_id, filename, content_type,
                                    byte_count, sha256, storage_key)
                                VALUES ('7d1f0e4e-3b51-4f0e-9a4e-222222222222', 'alice', 'gone.txt',
                                    'text/plain', 1, sha256('a'), 'uploads/gone');
                                """)
                    }
                    try await writeArchive(of: pool, to: file)
                }
            }
            try await world.intoEmptyDatabase { restore in
                _ = try await restore.restore(try BackupArchive(path: file.path))
                try await Migrations.requireCompatible(restore.pool)
                let rows = try await restore.pool.read { session in
                    try session.run(
                        """
                        SELECT m.content, u.question_count FROM messages m, token_usage u
                        """)
                }
                #expect(
                    try rows.map { try $0.get("content", as: String.self) } == [
                        "tab\t, line\n, back\\slash"
                    ])
                // Counted by the migration after it.
                #expect(try rows.first?.get("question_count", as: Int.self) == 1)
            }
        }
    }

    /// Rows are written as ever; only the schema is not the current one.
    private func writeArchive(of pool: PostgresPool, to file: URL) async throws {
        try await writing(file) { writer in
            let backup = Backup(
                pool: pool, storage: try s3Storage(), logger: .test)
            _ = try await backup.writeRows(to: writer, seconds: 1)
            writer.summary.deleted["gone"] = Attachment.ID("7d1f0e4e-3b51-4f0e-9a4e-222222222222")
        }
    }

    /// The current schema's. Returns its tables.
    @discardableResult
    private func addManifest(
        of pool: PostgresPool, to writer: BackupWriter
    ) async throws -> [StoredTable] {
        let tables = try await pool.read { try TableStore($0).list() }
        let manifest = BackupManifest(
            schemaVersion: Migrations.current, madeAt: 1, tables: tables)
        try writer.add(BackupManifest.name, Array(try JSONEncoder.sorted.encode(manifest)))
        return tables
    }

    private func writing(
        _ file: URL, _ body: (BackupWriter) async throws -> Void
    ) async throws {
        #expect(FileManager.default.createFile(atPath: file.path, contents: nil))
        let handle = try FileHandle(forWritingTo: file)
        let writer = try BackupWriter(descriptor: handle.fileDescriptor, seconds: 1)
        try await body(writer)
        try writer.finish()
        try handle.close()
    }
}
