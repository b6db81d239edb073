import Foundation
import Postgres
import TestSupport
import Testing

/// All of a deployment with `SOAK_FILES` uploads goes into an archive, and comes back from it.
@Suite("An archive of many files") struct BackupSoakTests {
    /// What a command may hold with nothing to do, and for each file.
    private static let memory = (bytes: 96 << 20, bytesEach: 1_000)
    private static let dimensionCount = 384

    private let fileCount =
        ProcessInfo.processInfo.environment["SOAK_FILES"].flatMap { Int($0) } ?? 1_000

    @Test("is made and restored in memory that hardly grows with them")
    func memory() async throws {
        try await VectorEngine.run { engine in
            let settings = try scriptedModels("archive").merging([
                "QDRANT_URL": engine.url,
                "OPENAI_EMBED_DIMENSIONS": String(Self.dimensionCount),
            ]) { $1 }
            try await withDeployment(settings: settings) { deployment, replica in
                let live = try await LiveGeneration.of(deployment)
                await deployment.stop(replica.all)
                try await plant(in: deployment, live)
                let archive = "\(deployment.folder)/many.tar.zst"
                try await measure(in: deployment, "backup", archive)
                try await deployment.wipe()
                let restored = try await measure(in: deployment, "restore", archive)
                #expect(restored.contains(#""points":\#(fileCount)"#), "\(restored)")
                let names = try FileManager.default.contentsOfDirectory(
                    atPath: "\(deployment.folder)/uploads/uploads")
                #expect(names.count == fileCount)
            }
        }
    }

    /// What the command printed.
    @discardableResult
    private func measure(
        in deployment: Deployment, _ command: String, _ file: String
    ) async throws -> String {
        let began = ContinuousClock.now
        let process = try deployment.startCommand(command, file)
        var kilobytes = 0
        try await eventually(within: .seconds(1_200)) {
            kilobytes = max(kilobytes, process.peakKilobytes)
            return !process.isRunning
        }
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        #expect(process.exitCode == 0, "\(process.log.suffix(2_000))")
        let size = try FileManager.default.attributesOfItem(atPath: file)[.size]
        print(
            """
            soak: SOAK_FILES=\(fileCount): \(command) took \(Int(seconds.rounded())) s and \
            \(kilobytes >> 10) MB at most; the archive has \((size as? Int ?? 0) >> 10) kB
            """)
        #expect(kilobytes << 10 < Self.memory.bytes + Self.memory.bytesEach * fileCount)
        return process.log
    }

    /// Shared uploads of 2 KB and one chunk each, as ingest leaves them.
    private func plant(in deployment: Deployment, _ live: LiveGeneration) async throws {
        let filling = String(repeating: "0123456789abcdef", count: 128)
        let folder = "\(deployment.folder)/uploads/uploads"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let keys = try await deployment.database.read { session in
            try session.run(script: "SET search_path TO celine_assistant")
            try session.run(script: rows(filling, live))
            return try session.run("SELECT filename, storage_key FROM attachments").map {
                (
                    try $0.get("filename", as: String.self),
                    try $0.get("storage_key", as: String.self)
                )
            }
        }
        for (name, key) in keys {
            try Data("\(name): \(filling)".utf8).write(
                to: URL(filePath: "\(deployment.folder)/uploads/\(key)"))
        }
    }

    private func rows(_ filling: String, _ live: LiveGeneration) -> String {
        """
        CREATE TEMPORARY TABLE files AS
            SELECT n, gen_random_uuid() AS id, 'file-' || n || ': \(filling)' AS text
            FROM generate_series(1, \(fileCount)) AS n;
        INSERT INTO documents (id, kind, title) SELECT id, 'upload', 'file-' || n FROM files;
        INSERT INTO attachments (id, filename, content_type, byte_count, sha256, storage_key, status)
            SELECT id, 'file-' || n, 'text/plain', length(text), sha256(text::bytea),
                   'uploads/' || gen_random_uuid(), 'indexed' FROM files;
        INSERT INTO revisions (id, document_id, content_hash, chunking_version, text)
            SELECT id, id, sha256(text::bytea), 'many', text FROM files;
        INSERT INTO indexed_documents (document_id, generation, revision_id)
            SELECT id, \(live.number), id FROM files;
        INSERT INTO chunks (id, revision_id, document_id, ordinal, text, span_start, span_end,
                language, text_hash, search)
            SELECT id, id, id, 0, text, 0, length(text), 'it', sha256(text::bytea), '' FROM files;
        INSERT INTO embeddings (owner_key, model_fingerprint, text_hash, vector)
            SELECT '', '\(live.modelFingerprint)', sha256(text::bytea),
                   ARRAY(SELECT ((n * 31 + d * 17) % 1000 + 1)::real / 1000
                         FROM generate_series(1, \(Self.dimensionCount)) AS d) FROM files;
        """
    }
}
