import AsyncHTTPClient
import Domain
import Foundation
import NIOCore
import NIOHTTP1
import Synchronization
import TestSupport

/// Four real processes, a gateway in front, on stores of their own: a database, a collection name, a
/// folder for uploads and a git repository with the sample pages.
final class Deployment: Sendable {
    let folder: String
    let database: NamedDatabase
    let collection: String
    let trainingRepository: TrainingRepository
    let environment: [String: String]
    private let tokens: IssuerTokens
    private let binaries: String
    private let started = Mutex<[RunningProcess]>([])

    /// Addresses of one gateway and the processes behind it.
    struct Replica: Sendable {
        let gateway, chat, ingest, admin: RunningProcess
        let address: String
        /// Where ingest and admin listen.
        let others: [String: String]
        var all: [RunningProcess] { [gateway, chat, ingest, admin] }
    }

    /// - Parameter postgres: a running server for its database; nil is the test stack's.
    init(settings: [String: String] = [:], postgres: PostgresServer? = nil) async throws {
        folder = NSTemporaryDirectory() + "celine-system-\(UUID().uuidString.lowercased())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        database = try await NamedDatabase(on: postgres?.url)
        collection = "system_\(UUID().uuidString.lowercased().prefix(8))"
        trainingRepository = try TrainingRepository(in: folder + "/materials")
        binaries = try TestSupport.environment("TEST_BINARIES")
        tokens = try await IssuerTokens(
            issuer: TestSupport.environment("TEST_OIDC_URL"),
            keyFile: TestSupport.environment("TEST_OIDC_KEY_FILE"),
            keyID: TestSupport.environment("TEST_OIDC_KEY_ID"))
        let keys = try await Deployment.generateKeys(binaries)
        environment = try Deployment.environment(
            databaseURL: database.url, collection: collection, folder: folder,
            repository: trainingRepository.path
        ).merging(keys) { $1 }.merging(settings) { $1 }
        try await runToEnd("\(binaries)/admin", ["migrate"], environment: environment)
    }

    /// Starts one of each process and waits until the gateway says it is ready.
    func startReplica(settings: [String: String] = [:]) async throws -> Replica {
        let ports = try (0..<4).map { _ in try freePort() }
        let others = ["INGEST_URL": Self.local(ports[2]), "ADMIN_URL": Self.local(ports[3])]
        let shared = environment.merging(settings) { $1 }
            .merging(others) { $1 }
            .merging(["CHAT_URL": Self.local(ports[1])]) { $1 }
        let replica = Replica(
            gateway: try start("gateway", shared, port: ports[0]),
            chat: try start("chat", shared, port: ports[1]),
            ingest: try start("ingest", shared, port: ports[2]),
            admin: try start("admin", shared, port: ports[3]),
            address: Self.local(ports[0]), others: others)
        try await waitUntilReady(replica)
        return replica
    }

    /// One more chat process behind a gateway of its own, with the ingest and admin of a replica.
    func startChat(beside replica: Replica) async throws -> Replica {
        let ports = try (0..<2).map { _ in try freePort() }
        let shared = environment.merging(replica.others) { $1 }
            .merging(["CHAT_URL": Self.local(ports[1])]) { $1 }
        let another = Replica(
            gateway: try start("gateway", shared, port: ports[0]),
            chat: try start("chat", shared, port: ports[1]), ingest: replica.ingest,
            admin: replica.admin, address: Self.local(ports[0]), others: replica.others)
        try await waitUntilReady(another)
        return another
    }

    private static func local(_ port: Int) -> String { "http://127.0.0.1:\(port)" }

    private func start(
        _ name: String, _ environment: [String: String], port: Int
    ) throws -> RunningProcess {
        let address = ["HTTP_HOST": "127.0.0.1", "HTTP_PORT": String(port)]
        return try start(name, environment.merging(address) { $1 })
    }

    /// `admin` with these arguments, to its end. What it prints, log lines included.
    @discardableResult
    func command(
        _ arguments: String..., settings: [String: String] = [:]
    ) async throws -> String {
        try await command(arguments, settings: settings)
    }

    @discardableResult
    func command(
        _ arguments: [String], settings: [String: String] = [:]
    ) async throws -> String {
        try await runToEnd(
            "\(binaries)/admin", arguments, environment: environment.merging(settings) { $1 },
            in: folder)
    }

    /// As it leaves a container: through a pipe, to whatever reads it.
    @discardableResult
    func backUp(into reader: String) async throws -> String {
        try await runToEnd(
            "/bin/bash",
            ["-o", "pipefail", "-c", #""$0" backup - | \#(reader)"#, "\(binaries)/admin"],
            environment: environment, in: folder)
    }

    /// One more worker without routes of its own in the way: only the role `worker`.
    func startWorker(settings: [String: String] = [:]) throws -> RunningProcess {
        try start(
            "ingest",
            environment.merging(settings) { $1 }.merging([
                "INGEST_ROLES": "worker", "HTTP_HOST": "127.0.0.1",
                "HTTP_PORT": String(freePort()),
            ]) { $1 })
    }

    /// One more admin process, which syncs as soon as it has started. Nobody waits for it.
    func startSyncing() throws -> RunningProcess {
        try start(
            "admin",
            environment.merging([
                "TRAINING_MATERIALS_SYNC_ON_START": "true", "HTTP_HOST": "127.0.0.1",
                "HTTP_PORT": String(freePort()),
            ]) { $1 })
    }

    /// The same again, where it has ended.
    func startAgain(_ process: RunningProcess) throws -> RunningProcess {
        let again = try process.startedAgain()
        started.withLock { $0.append(again) }
        return again
    }

    /// A service of that name, and nobody waits for it.
    func startAlone(_ name: String) throws -> RunningProcess {
        try start(name, environment, port: freePort())
    }

    /// `admin` with these arguments, to be looked at while it runs.
    func startCommand(_ arguments: String...) throws -> RunningProcess {
        try start("admin", environment, arguments)
    }

    private func start(
        _ name: String, _ environment: [String: String], _ arguments: [String] = []
    ) throws -> RunningProcess {
        let process = try RunningProcess(
            "\(binaries)/\(name)", arguments, environment: environment, in: folder)
        started.withLock { $0.append(process) }
        return process
    }

    func member(
        _ subject: String, at replica: Replica, groups: [String] = []
    ) async throws -> Member {
        Member(
            address: replica.address,
            token: try await tokens.token(subject: subject, groups: groups))
    }

    func operatorMember(at replica: Replica) async throws -> Member {
        try await member("operator", at: replica, groups: ["/admins"])
    }

    private func waitUntilReady(_ replica: Replica) async throws {
        let deadline = ContinuousClock.now.advanced(by: .seconds(60))
        while ContinuousClock.now < deadline {
            let request = HTTPClientRequest(url: replica.address + "/health/ready")
            // Not listening yet is one of the answers we wait out.
            let answer = try? await HTTPClient.shared.execute(request, timeout: .seconds(5))
            if answer?.status == .ok { return }
            if let ended = replica.all.first(where: { !$0.isRunning }) {
                throw CommandFailure(command: ended.name, printed: ended.log)
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw CommandFailure(
            command: "ready", printed: replica.all.map { "\($0.name):\n\($0.log)" }.joined())
    }

    private static func generateKeys(_ binaries: String) async throws -> [String: String] {
        let printed = try await runToEnd("\(binaries)/gateway", ["generate-keys"])
        let pairs = printed.split(separator: "\n").compactMap { line -> (String, String)? in
            let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
            return parts.count == 2 ? (parts[0], parts[1]) : nil
        }
        return Dictionary(pairs) { $1 }
    }

    private static func environment(
        databaseURL: String, collection: String, folder: String, repository: String
    ) throws -> [String: String] {
        [
            "PATH": "/usr/bin:/bin", "APP_ENV": "dev", "LOG_LEVEL": "info",
            "DATABASE_URL": databaseURL,
            "QDRANT_URL": try TestSupport.environment("TEST_QDRANT_URL"),
            "QDRANT_COLLECTION": collection,
            "OPENAI_API_KEY": "unused",
            "OPENAI_BASE_URL": try TestSupport.environment("TEST_CHAT_URL"),
            "OPENAI_CHAT_MODEL": "extractive",
            "OPENAI_EMBED_BASE_URL": try TestSupport.environment("TEST_EMBED_PASSAGE_URL"),
            "OPENAI_EMBED_MODEL": "e5-passage",
            "OPENAI_EMBED_QUERY_BASE_URL": try TestSupport.environment("TEST_EMBED_QUESTION_URL"),
            "OPENAI_EMBED_QUERY_MODEL": "e5-query",
            "OPENAI_EMBED_DIMENSIONS": "384", "EMBED_BATCH_SIZE": "2",
            "UPLOADS_URI": "file://\(folder)/uploads",
            "OAUTH2_ISSUER": try TestSupport.environment("TEST_OIDC_URL"),
            "TRAINING_MATERIALS_REPO_URL": repository,
            "TRAINING_MATERIALS_ALLOW_PRIVATE": "true",
            "TRAINING_MATERIALS_PATH": "\(folder)/clone",
        ]
    }

    func stop(_ processes: [RunningProcess]) async {
        for process in processes { process.terminate() }
        for process in processes {
            for _ in 0..<100 where process.isRunning {
                // A cancelled wait only makes the end less gentle.
                try? await Task.sleep(for: .milliseconds(50))
            }
            process.kill9()
        }
    }

    /// All it has ever started, the paused ones too.
    func killAll() { for process in started.withLock({ $0 }) { process.kill9() } }

    func remove() async throws {
        killAll()
        try await database.drop()
        try FileManager.default.removeItem(atPath: folder)
    }
}

/// Runs `body` on a fresh deployment with one replica; on failure the logs are shown.
func withDeployment(
    settings: [String: String] = [:], postgres: PostgresServer? = nil,
    _ body: (Deployment, Deployment.Replica) async throws -> Void
) async throws {
    let deployment = try await Deployment(settings: settings, postgres: postgres)
    defer { deployment.killAll() }
    let replica = try await deployment.startReplica()
    do {
        try await body(deployment, replica)
    } catch {
        for process in replica.all { print("--- \(process.name)\n\(process.log.suffix(6000))") }
        throw error
    }
    await deployment.stop(replica.all)
    try await deployment.remove()
}
