import AsyncHTTPClient
import Database
import Domain
import Foundation
import HTTPService
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Identity
import JobQueue
import Logging
import NIOCore
import ObjectStorage
import OutboundHTTP
import Postgres
import ServiceLifecycle
import ServiceRuntime
import TestSupport

@testable import Admin

/// The admin service in this process, on a database of its own, with a repository of training
/// materials and a stand-in for ingest's workers. `root` is in the operators' group.
struct AdminWorld: Sendable {
    let admin: Admin
    let pool: PostgresPool
    let remote: TestRemote
    /// Where uploads are stored.
    let folder: URL
    let client: any TestClientProtocol

    struct Reply {
        let status: Int
        let text: String

        var json: [String: Any] {
            let object = try? JSONSerialization.jsonObject(with: Data(text.utf8))
            return object as? [String: Any] ?? [:]
        }

        func part(_ name: String) -> [String: Any] { json[name] as? [String: Any] ?? [:] }
        var code: String? { json["code"] as? String }
    }

    static func run(
        url: (TestRemote) -> String? = { $0.bare }, gitSeconds: String = "30",
        qdrant: String? = nil, works: Bool = true,
        _ body: @escaping @Sendable (AdminWorld) async throws -> Void
    ) async throws {
        let remote = try TestRemote()
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "celine-admin-\(UUID().uuidString)")
        // Nothing to remove where the service never got as far as its storage.
        defer { try? FileManager.default.removeItem(at: folder) }
        var values = [
            "APP_ENV": "dev", "INTERNAL_AUTH_PUBLIC_KEYS": "none",
            "OPENAI_EMBED_DIMENSIONS": "384", "OPENAI_EMBED_MODEL": "e5-passage",
            "QDRANT_URL": try qdrant ?? environment("TEST_QDRANT_URL"),
            "TRAINING_MATERIALS_PATH": remote.clone, "TRAINING_MATERIALS_ALLOW_PRIVATE": "true",
            "QDRANT_COLLECTION": "test_admin_\(UUID().uuidString.lowercased())",
            "UPLOADS_URI": "file://\(folder.path())",
            "TRAINING_MATERIALS_GIT_SECONDS": gitSeconds,
        ]
        values["TRAINING_MATERIALS_REPO_URL"] = url(remote)
        var reader = SettingsReader(values)
        let settings = AdminSettings(from: &reader)
        try reader.finish()
        let http = OutboundHTTP.makeClient()
        do {
            try await withDatabase { pool in
                var admin = Admin(
                    settings: settings, database: pool.configuration,
                    storage: try makeObjectStorage(settings.storage, logger: .test), client: http,
                    executable: try environment("TEST_BINARIES") + "/admin", logger: .test)
                admin.settleSeconds = 0
                try await serve(admin, pool, remote, folder, works: works, body)
            }
            try await http.shutdown()
        } catch {
            try await http.shutdown()
            throw error
        }
    }

    private static func serve(
        _ admin: Admin, _ pool: PostgresPool, _ remote: TestRemote, _ folder: URL, works: Bool,
        _ body: @escaping @Sendable (AdminWorld) async throws -> Void
    ) async throws {
        try await pool.transaction { transaction in
            _ = try GenerationStore(transaction).ensureLive(
                IndexDescription(
                    passageModel: "e5-passage", questionModel: "e5-query", dimensionCount: 384,
                    chunkingVersion: Chunking.version(windowTokenCount: 512),
                    analysisVersion: "test"),
                collectionBase: admin.settings.qdrant.collectionBase)
        }
        let router = admin.router(
            PrincipalMiddleware { Caller(sub: $0, isAdmin: $0 == "root") })
        let app = application(
            router: router, settings: HTTPSettings(host: "127.0.0.1", port: 0), logger: .test)
        let jobs = PostgresListener(
            pool.configuration, channels: [JobQueue.channel], logger: .test)
        let worker = JobWorker(
            pool: pool, listener: jobs,
            handlers: [StandInPageIndexer(pool: pool), StandInAttachmentIndexer(pool: pool)],
            concurrency: 2, workerName: "test", logger: .test)
        let services: [any Service] =
            [admin.pool, admin.listener] + (works ? [admin.worker, jobs, worker] : [])
        let group = ServiceGroup(
            services: services, gracefulShutdownSignals: [], logger: .test)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let failure: (any Error)?
            do {
                try await app.test(.router) { client in
                    try await body(
                        AdminWorld(
                            admin: admin, pool: pool, remote: remote, folder: folder,
                            client: client))
                }
                failure = nil
            } catch {
                failure = error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            if let failure { throw failure }
        }
    }

    func post(
        _ path: String, _ body: String? = nil, as user: String = "root",
        type: String = "application/json", key: String? = nil
    ) async throws -> Reply {
        try await send(.post, path, body, as: user, type: type, key: key)
    }

    func get(_ path: String, as user: String = "root") async throws -> Reply {
        try await send(.get, path, nil, as: user, type: nil)
    }

    func delete(_ path: String, as user: String = "root") async throws -> Reply {
        try await send(.delete, path, nil, as: user, type: nil)
    }

    private func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: String?, as user: String,
        type: String?, key: String? = nil
    ) async throws -> Reply {
        var headers: HTTPFields = [.authorization: "Bearer \(user)"]
        if body != nil, let type { headers[.contentType] = type }
        if let name = HTTPField.Name("Idempotency-Key") { headers[name] = key }
        let response = try await client.execute(
            uri: path, method: method, headers: headers,
            body: body.map { ByteBuffer(string: $0) })
        return Reply(status: response.status.code, text: String(buffer: response.body))
    }

    /// What is shown now: path and revision, in the live generation.
    func shown() async throws -> [String: String] {
        let rows = try await pool.read { session in
            try session.run(
                """
                SELECT t.path, i.revision_id::text AS revision FROM training_pages t
                JOIN documents d ON d.id = t.document_id AND d.deleted_at IS NULL
                JOIN indexed_documents i ON i.document_id = t.document_id
                """)
        }
        var shown: [String: String] = [:]
        for row in rows { shown[try row.get("path")] = try row.get("revision", as: String.self) }
        return shown
    }

    /// A file of a member's, or of everybody, as the upload would have left it.
    func upload(
        _ name: String, by user: String?, status: String = "indexed", bytes: Int = 5,
        type: String = "text/plain"
    ) async throws -> Attachment.ID {
        try await pool.transaction { transaction in
            let id = Attachment.ID()
            let new = NewAttachment(
                id: id, owner: Owner(userID: user.map { User.ID(rawValue: $0) }), filename: name,
                contentType: type, byteCount: bytes,
                sha256: [UInt8](repeating: 7, count: 32), storageKey: id.description)
            _ = try AttachmentStore(transaction).insert(new)
            if status == "failed" {
                try AttachmentStore(transaction).setFailed(
                    id, Attachment.Failure(code: "corrupt", message: "It cannot be read."))
            }
            return id
        }
    }
}
