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
import ModelEndpoint
import NIOCore
import ObjectStorage
import OutboundHTTP
import Postgres
import Qdrant
import ServiceLifecycle
import ServiceRuntime
import TestSupport
import Testing

@testable import Ingest

/// Ingest on real parts: a database, a folder and collections of its own.
struct IngestWorld: Sendable {
    let ingest: Ingest
    let folder: URL
    private let keys: InternalKeys

    static let alice = User.ID(rawValue: "alice")
    static let bob = User.ID(rawValue: "bob")

    /// A world whose model is `embeddings`, without anything running in it. Afterwards no job may
    /// be left unfinished.
    static func make(
        _ embeddings: EmbeddingServer = EmbeddingServer(), settings more: [String: String] = [:],
        leaseSeconds: Int = 20,
        _ body: @escaping @Sendable (IngestWorld) async throws -> Void
    ) async throws {
        try await embeddings.running { baseURL in
            try await withDatabase(connectionCountMax: 16) { pool in
                let client = OutboundHTTP.makeClient()
                do {
                    let world = try IngestWorld(
                        pool: pool, client: client, leaseSeconds: leaseSeconds,
                        settings: ["OPENAI_BASE_URL": baseURL].merging(more) { $1 })
                    try await body(world)
                    try await world.expectAllJobsFinished()
                    try await world.remove()
                } catch {
                    try await client.shutdown()
                    throw error
                }
                try await client.shutdown()
            }
        }
    }

    private init(
        pool: PostgresPool, client: HTTPClient, leaseSeconds: Int, settings: [String: String]
    ) throws {
        keys = InternalKeys.generate()
        let name = "test_ingest_\(UUID().uuidString.prefix(8).lowercased())"
        folder = FileManager.default.temporaryDirectory.appending(path: name)
        // Uploads are waited for: long on a busy machine, and less than the test client's 20 seconds.
        var reader = SettingsReader(
            [
                "APP_ENV": "dev", "QDRANT_URL": try environment("TEST_QDRANT_URL"),
                "QDRANT_COLLECTION": name, "UPLOADS_URI": "file://\(folder.path())",
                "INTERNAL_AUTH_PUBLIC_KEYS": keys.publicKey, "EMBED_BATCH_SIZE": "2",
                "OPENAI_EMBED_MODEL": "test-passage", "MAX_UPLOAD_MB": "1", "HTTP_PORT": "0",
                "INGEST_CONCURRENCY": "3", "UPLOAD_WAIT_SECONDS": "18",
            ].merging(settings) { $1 })
        let settings = IngestSettings(from: &reader)
        try reader.finish()
        let http = OutboundHTTP(client: client, peer: "test", logger: .test)
        var ingest = Ingest(
            settings: settings, pool: pool,
            listener: PostgresListener(
                pool.configuration, channels: Ingest.channels, logger: .test),
            storage: try makeObjectStorage(settings.storage, logger: .test),
            qdrant: Qdrant(http: http, url: settings.qdrant.url, apiKey: nil),
            models: ModelEndpoint(settings.models, http: http),
            executable: try environment("TEST_BINARIES") + "/ingest", logger: .test)
        ingest.leaseSeconds = leaseSeconds
        self.ingest = ingest
    }

    /// With workers, while `body` runs.
    func working(_ body: @Sendable () async throws -> Void) async throws {
        try await ingest.firstGeneration.ensure()
        let group = ServiceGroup(
            services: [ingest.listener, ingest.news] + ingest.workerServices, logger: .test)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do {
                try await body()
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    /// With the routes, on a real port.
    func serving(
        _ body: @escaping @Sendable (any TestClientProtocol) async throws -> Void
    ) async throws {
        let verifier = try InternalTokenVerifier(
            publicKeys: [keys.publicKey], audience: "ingest")
        let app = application(
            router: ingest.router(verifier), settings: ingest.settings.http, logger: .test)
        try await app.test(.live) { try await body($0) }
    }

    /// What the gateway would send for this user.
    func headers(_ user: User.ID, isAdmin: Bool = false) throws -> HTTPFields {
        let caller = Caller(sub: user.rawValue, isAdmin: isAdmin)
        let token = try InternalTokenIssuer(privateKey: keys.privateKey)
            .token(for: caller, audience: "ingest")
        return [.authorization: "Bearer \(token)"]
    }

    func expectAllJobsFinished() async throws {
        try await eventually(within: .seconds(60)) {
            try await ingest.pool.read { session in
                try session.run(
                    "SELECT id FROM jobs WHERE state NOT IN ('done', 'cancelled', 'dead')"
                ).isEmpty
            }
        }
    }

    /// Files under the folder, wherever.
    var storedFileCount: Int {
        let files = FileManager.default.enumerator(
            at: folder, includingPropertiesForKeys: [.isRegularFileKey])
        return files?.count { file in
            // A file that vanished meanwhile is none.
            (try? (file as? URL)?.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile)
                == true
        } ?? 0
    }

    /// Points of a document in every collection there is.
    func pointCount(of document: Document.ID) async throws -> Int {
        var count = 0
        for generation in try await ingest.pool.read({ try GenerationStore($0).list() })
        where generation.state != .dropped {
            count += try await ingest.qdrant.countPoints(
                document: document, in: generation.collection)
        }
        return count
    }

    private func remove() async throws {
        for generation in try await ingest.pool.read({ try GenerationStore($0).list() }) {
            try await ingest.qdrant.deleteCollection(generation.collection)
        }
        if FileManager.default.fileExists(atPath: folder.path()) {
            try FileManager.default.removeItem(at: folder)
        }
    }
}
