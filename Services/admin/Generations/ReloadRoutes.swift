import Database
import Domain
import HTTPService
import Hummingbird
import Logging
import Postgres
import Qdrant

/// `POST /admin/reload`: every chat replica looks up the live generation anew.
struct ReloadRoutes: Sendable {
    let pool: PostgresPool
    let qdrant: Qdrant
    let logger: Logger

    /// Replicas are notified, and poll every five seconds besides.
    private static let waitMax = Duration.seconds(8)
    private static let pollInterval = Duration.milliseconds(50)

    func add(to router: some RouterMethods<ServiceContext>) {
        router.post("admin/reload", use: reload)
    }

    private struct Body: Encodable {
        let status = "reloaded"
        let collection: String
        let generation: Int
        let pointsCount: Int
        let vectorSize: Int
        let distance: String
        let embeddingModel: String
        /// Those that have looked, and those that did not say so in time; by their ids besides.
        let replicas: Int
        let replicasPending: Int
        let replicasAnswered: [String]
        let replicasMissing: [String]
        let tookMilliseconds: Double

        private enum CodingKeys: String, CodingKey {
            case status, collection, generation, distance, replicas
            case pointsCount = "points_count"
            case vectorSize = "vector_size"
            case embeddingModel = "embedding_model"
            case replicasPending = "replicas_pending"
            case replicasAnswered = "replicas_answered"
            case replicasMissing = "replicas_missing"
            case tookMilliseconds = "took_ms"
        }
    }

    private func reload(_ request: Request, context: ServiceContext) async throws -> Response {
        let start = ContinuousClock.now
        guard let live = try await pool.read({ try GenerationStore($0).live() }) else {
            throw Problem.noIndex
        }
        // Asked here first: without an engine no replica is sent looking.
        let found = try await description(of: live)
        let number = try await pool.transaction { transaction in
            try AuditStore(transaction).record(.reloadRequested, by: context.author)
            return try ReloadStore(transaction).request()
        }
        let progress = try await wait(for: number, since: start)
        if !progress.pending.isEmpty {
            logger.warning(
                "chat replicas have not looked at the index anew",
                metadata: ["replicas": "\(progress.pending.joined(separator: " "))"])
        }
        return try JSONResponse.make(
            .ok,
            Body(
                collection: live.collection, generation: live.number,
                pointsCount: found.pointsCount, vectorSize: found.vectorSize,
                distance: found.distance, embeddingModel: live.index.passageModel,
                replicas: progress.done.count, replicasPending: progress.pending.count,
                replicasAnswered: progress.done, replicasMissing: progress.pending,
                tookMilliseconds: (ContinuousClock.now - start) / .milliseconds(1)))
    }

    private func description(of live: Generation) async throws -> CollectionDescription {
        do {
            if let found = try await qdrant.collectionDescription(live.collection) { return found }
        } catch {
            throw Problem.vectorsAway
        }
        throw Problem.unavailable("The vector engine has lost the live collection.")
    }

    private func wait(
        for request: Int, since start: ContinuousClock.Instant
    ) async throws -> ReloadProgress {
        while true {
            let progress = try await pool.read { try ReloadStore.progress(of: request, $0) }
            if progress.pending.isEmpty || ContinuousClock.now - start > Self.waitMax {
                return progress
            }
            try await Task.sleep(for: Self.pollInterval)
        }
    }
}
