import Domain
import Foundation
import NIOHTTP1
import Postgres
import TestSupport
import Testing

/// The stores are compared by a process of their own, with `SOAK_POINTS` points of four dimensions.
@Suite("Comparing many points") struct ConsistencySoakTests {
    /// What comparing may add to the process's memory, however many points there are.
    private static let growthKilobytesMax = 64 << 10
    private static let batchCount = 20_000
    /// Points that are taken away, and rows.
    private static let faultCount = 100

    private let pointCount =
        ProcessInfo.processInfo.environment["SOAK_POINTS"].flatMap { Int($0) } ?? 20_000

    @Test("takes memory that does not grow with them, and finds the few that are missing")
    func memory() async throws {
        try await VectorEngine.run { engine in
            var settings = try scriptedModels("many")
            settings["QDRANT_URL"] = engine.url
            settings["OPENAI_EMBED_DIMENSIONS"] = "4"
            settings["INGEST_ROLES"] = "api"
            try await withDeployment(settings: settings) { deployment, replica in
                try await measure(engine, deployment, replica)
            }
        }
    }

    private func measure(
        _ engine: VectorEngine, _ deployment: Deployment, _ replica: Deployment.Replica
    ) async throws {
        let worker = try deployment.startWorker()
        _ = try await LiveGeneration.of(deployment)
        let admin = try await deployment.operatorMember(at: replica)
        // What a first comparison needs it needs with nothing to compare too.
        try await expectConsistent(admin)
        await deployment.stop([worker])
        try await plant(engine, deployment)
        let idle = replica.admin.residentKilobytes
        let whole = try await compare(admin)
        #expect(faultCounts(whole) == [:], "\(whole.text)")
        let growth = replica.admin.peakKilobytes - idle
        report(whole, idle: idle, growth: growth)
        #expect(growth < Self.growthKilobytesMax)

        try await takeAway(engine, deployment)
        let holed = try await compare(admin)
        #expect(
            faultCounts(holed) == [
                "missing_points": Self.faultCount, "orphaned_points": Self.faultCount,
            ], "\(holed.text.prefix(2000))")
        let all = replica.admin.peakKilobytes - idle
        report(holed, idle: idle, growth: all)
        #expect(all < Self.growthKilobytesMax)
    }

    private func compare(_ admin: Member) async throws -> Answer {
        try await finished(try await admin.get("/admin/consistency?wait=50&max_age=0"), admin)
    }

    private func report(_ answer: Answer, idle: Int, growth: Int) {
        let seconds = (answer.json["took_ms"] as? Int ?? 0) / 1000
        print(
            """
            soak: SOAK_POINTS=\(pointCount): compared in \(seconds) s, \(faultCounts(answer)); \
            admin \(idle >> 10) MB before, \(growth >> 10) MB more at most
            """)
    }

    /// One shared document of so many chunks, whose ids are as scattered as real ones.
    private func plant(_ engine: VectorEngine, _ deployment: Deployment) async throws {
        let live = try await LiveGeneration.of(deployment)
        let document = UUID().uuidString.lowercased()
        try await deployment.database.read { session in
            try session.run(script: "SET search_path TO celine_assistant")
            try session.run(
                script: """
                    INSERT INTO documents (id, kind, title)
                    VALUES ('\(document)', 'upload', 'many');
                    INSERT INTO attachments (id, filename, content_type, byte_count, sha256,
                        storage_key, status)
                    SELECT id, 'many', 'text/plain', 1, sha256('many'), 'uploads/' || id, 'indexed'
                    FROM documents;
                    INSERT INTO revisions (id, document_id, content_hash, chunking_version, text)
                    SELECT id, id, 'many', 'many', 'many' FROM documents;
                    INSERT INTO indexed_documents (document_id, generation, revision_id)
                    SELECT id, 1, id FROM documents;
                    """)
        }
        let file = "\(deployment.folder)/uploads/uploads"
        try FileManager.default.createDirectory(
            atPath: file, withIntermediateDirectories: true)
        try Data([1]).write(to: URL(filePath: "\(file)/\(document)"))
        for start in stride(from: 0, to: pointCount, by: Self.batchCount) {
            let end = min(start + Self.batchCount, pointCount)
            let ids = try await insertChunks(start..<end, of: document, live, deployment)
            try await upsert(ids, of: document, live, engine)
        }
        try await deployment.database.read { try $0.run(script: "ANALYZE") }
    }

    private func insertChunks(
        _ numbers: Range<Int>, of document: String, _ live: LiveGeneration, _ deployment: Deployment
    ) async throws -> [String] {
        try await deployment.database.read { session in
            try session.run(script: "SET search_path TO celine_assistant")
            try session.run(
                """
                INSERT INTO chunks (id, revision_id, document_id, ordinal, text, span_start,
                    span_end, language, text_hash, search)
                SELECT md5(n::text)::uuid, \(document)::uuid, \(document)::uuid, n, 'x', 0, 1,
                    'it', sha256(n::text::bytea), ''
                FROM generate_series(\(numbers.lowerBound), \(numbers.upperBound - 1)) AS n
                """)
            try session.run(
                """
                INSERT INTO embeddings (owner_key, model_fingerprint, text_hash, vector)
                SELECT '', \(live.modelFingerprint), sha256(n::text::bytea), '{1,0,0,0}'
                FROM generate_series(\(numbers.lowerBound), \(numbers.upperBound - 1)) AS n
                """)
            return try session.run(
                """
                SELECT md5(n::text)::uuid::text AS id
                FROM generate_series(\(numbers.lowerBound), \(numbers.upperBound - 1)) AS n
                """
            ).map { try $0.get("id", as: String.self) }
        }
    }

    private func upsert(
        _ ids: [String], of document: String, _ live: LiveGeneration, _ engine: VectorEngine
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, start) in stride(from: 0, to: ids.count, by: 2_000).enumerated() {
                // Two on their way.
                if index >= 2 { try await group.next() }
                let points = ids[start..<min(start + 2_000, ids.count)].map { id in
                    """
                    {"id":"\(id)","vector":{"dense":[1,0,0,0],\
                    "sparse":{"indices":[1],"values":[1.0]}},"payload":{\
                    "tenant_id":"00000000-0000-0000-0000-000000000000",\
                    "document_id":"\(document)","revision_id":"\(document)",\
                    "scope":"shared","kind":"upload","language":"it"}}
                    """
                }
                let body = "{\"points\":[\(points.joined(separator: ","))]}"
                group.addTask {
                    try await callEngine(
                        .PUT, live.pointsPath + "?wait=true", body, at: engine.url)
                }
            }
            try await group.waitForAll()
        }
    }

    /// Points without chunks and chunks without points, scattered.
    private func takeAway(_ engine: VectorEngine, _ deployment: Deployment) async throws {
        let ids = try await deployment.database.read { session in
            try session.run(script: "SET search_path TO celine_assistant")
            try session.run("DELETE FROM chunks WHERE ordinal < \(Self.faultCount)")
            return try session.run(
                """
                SELECT id::text AS id FROM chunks
                WHERE ordinal < \(2 * Self.faultCount)
                """
            ).map { "\"\(try $0.get("id", as: String.self))\"" }
        }
        try await callEngine(
            .POST, try await LiveGeneration.of(deployment).pointsPath + "/delete?wait=true",
            "{\"points\":[\(ids.joined(separator: ","))]}", at: engine.url)
    }
}
