import Archive
import Database
import Domain
import Foundation
import NIOCore
import ObjectStorage
import Postgres
import TestSupport
import Testing

@testable import Admin

@Suite("An archive of everything") struct BackupTests {
    @Test("that is cut, changed or none of ours is refused, and nothing is written")
    func damaged() async throws {
        try await AdminWorld.run(works: false) { world in
            _ = try await world.storedUpload("a.txt", "some bytes")
            let whole = try await world.backup()
            let bytes = try Data(contentsOf: whole)
            var changed = bytes
            changed[bytes.count / 2] ^= 0x20
            let cases: [(String, Data)] = [
                ("cut", bytes.prefix(bytes.count / 2)), ("cut at its end", bytes.dropLast(12)),
                ("changed", changed), ("text", Data("no archive".utf8)), ("empty", Data()),
            ]
            try await world.intoEmptyDatabase { restore in
                for (name, bytes) in cases {
                    let file = world.folder.appending(path: "damaged.tar.zst")
                    try bytes.write(to: file)
                    await #expect(throws: (any Error).self, "\(name)") {
                        _ = try await restore.restore(try BackupArchive(path: file.path))
                    }
                }
                await #expect(throws: BackupFailure.self) {
                    _ = try await restore.restore(try BackupArchive(path: "/nowhere/at/all"))
                }
                let version = try await restore.pool.read { try Migrations.version($0).version }
                #expect(version == 0)
                let stored = try await restore.storage.list(prefix: "", after: nil, countMax: 9)
                #expect(stored.isEmpty)
            }
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

    @Test("does not bring back what was deleted while it was being written")
    func deletedMeanwhile() async throws {
        try await AdminWorld.run(works: false) { world in
            let kept = try await world.storedUpload("a.txt", "kept")
            let gone = try await world.storedUpload("b.txt", "gone")
            let deleting = DeletingStorage(
                storage: world.admin.storage, pool: world.pool, victim: gone)
            let backup = Backup(pool: world.pool, storage: deleting, logger: .test)
            let archive = try BackupArchive(path: try await world.backup(backup).path)
            #expect(archive.summary.deleted == [Document.ID(rawValue: gone.rawValue)])
            try await world.intoEmptyDatabase { restore in
                _ = try await restore.restore(archive)
                try await restore.pool.read { session in
                    #expect(try AttachmentStore(session).find(kept) != nil)
                    #expect(try AttachmentStore(session).find(gone) == nil)
                    let erasing = try DocumentStore(session).hasOpenJob(
                        Document.ID(rawValue: gone.rawValue), of: [EraseDocumentJob.kind])
                    #expect(erasing)
                }
            }
        }
    }

    @Test("leaves a file alone that is there, and refuses one of the same name that differs")
    func filesThatAreThere() async throws {
        try await AdminWorld.run(works: false) { world in
            let id = try await world.storedUpload("a.txt", "some bytes")
            let archive = try BackupArchive(path: try await world.backup().path)
            let key = try await world.key(of: id)
            try await world.intoEmptyDatabase { restore in
                try await restore.storage.put(key, "some others")
                await #expect(throws: BackupFailure.otherFile(key: key)) {
                    _ = try await restore.restore(archive)
                }
                let documentCount = try await restore.pool.read {
                    try UploadOverviewStore($0).documentCount()
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
                                """)
                    }
                    try await writeArchive(of: pool, version: version, to: file)
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

    private func writeArchive(of pool: PostgresPool, version: Int, to file: URL) async throws {
        #expect(FileManager.default.createFile(atPath: file.path, contents: nil))
        let handle = try FileHandle(forWritingTo: file)
        let writer = try BackupWriter(descriptor: handle.fileDescriptor, seconds: 1)
        try await pool.withOpenTransaction(.snapshot) { snapshot in
            let tables = try await snapshot.run { try TableStore($0).list() }
            let manifest = BackupManifest(schemaVersion: version, madeAt: 1, tables: tables)
            try writer.add(BackupManifest.name, Array(try JSONEncoder.sorted.encode(manifest)))
            for table in tables {
                try await snapshot.copyOut(table.copyOut) { rows in
                    writer.summary.rows[table.name] = rows.count { $0 == 10 }
                    try writer.add(BackupEntry.rowsName(table.name, part: 1), rows)
                }
            }
        }
        try writer.finish()
        try handle.close()
    }
}
