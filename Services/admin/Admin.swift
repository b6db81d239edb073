import AsyncHTTPClient
import Database
import Git
import HTTPService
import Hummingbird
import Identity
import JobQueue
import Logging
import ModelEndpoint
import ObjectStorage
import OutboundHTTP
import Postgres
import Qdrant
import ServiceLifecycle
import ServiceRuntime

/// Operators' views and switches, and what they stand on.
struct Admin: Sendable {
    let settings: AdminSettings
    let pool: PostgresPool
    let listener: PostgresListener
    let storage: any ObjectStorage
    let qdrant: Qdrant
    let models: ModelEndpoint
    let materials: TrainingMaterials
    let logger: Logger
    /// What may be on its way is given so long when the stores are compared.
    var settleSeconds = StoreComparison.settleSeconds
    private let queue = JobQueue()
    private let executable: String

    /// - Parameter executable: our own, which is also the child that works on the clone.
    init(
        settings: AdminSettings, database: PostgresConfiguration, storage: any ObjectStorage,
        client: HTTPClient, executable: String, logger: Logger
    ) {
        self.settings = settings
        self.storage = storage
        self.executable = executable
        self.logger = logger
        pool = PostgresPool(
            database, connectionCountMax: 8, waitMax: .seconds(5), logger: logger)
        listener = PostgresListener(
            database,
            channels: [
                Channel.attachments, TrainingStore.channel, Channel.consistency, Channel.jobs,
            ], logger: logger)
        qdrant = Qdrant(
            http: OutboundHTTP(client: client, peer: "qdrant", logger: logger),
            url: settings.qdrant.url, apiKey: settings.qdrant.apiKey)
        models = ModelEndpoint(
            settings.models, http: OutboundHTTP(client: client, peer: "models", logger: logger))
        let clone = settings.trainingMaterials.map {
            GitClone(
                of: $0.remote, at: $0.path, access: $0.access, allowsPrivate: $0.allowsPrivate,
                limits: $0.limits, deadline: $0.deadline,
                certificateFile: settings.runtime.certificateFile, executable: executable)
        }
        materials = TrainingMaterials(
            pool: pool, queue: queue, listener: listener, clone: clone,
            site: settings.trainingMaterials?.site, defaultTarget: settings.trainingTarget,
            logger: logger)
    }

    func addRoutes(to members: some RouterMethods<ServiceContext>) {
        let operators = members.group().add(middleware: AdminGate())
        UploadListRoutes(
            pool: pool,
            inspection: UploadInspection(
                pool: pool, qdrant: qdrant, storage: storage, logger: logger)
        ).add(to: operators)
        IngestRoutes(reindexing: reindexing, pool: pool, listener: listener, logger: logger)
            .add(to: operators)
        ReloadRoutes(pool: pool, qdrant: qdrant, logger: logger).add(to: operators)
        GenerationRoutes(
            pool: pool, changes: GenerationChanges(pool: pool, queue: queue, qdrant: qdrant),
            logger: logger
        ).add(to: operators)
        JobRoutes(pool: pool).add(to: operators)
        JobActionRoutes(
            retrying: JobRetrying(pool: pool, queue: queue),
            cancelling: JobCancelling(pool: pool, queue: queue), logger: logger
        ).add(to: operators)
        UsageRoutes(pool: pool).add(to: operators)
        AuditRoutes(pool: pool).add(to: operators)
        ConsistencyRoutes(runs: consistencyRuns).add(to: operators)
        TrainingRoutes(materials: materials).add(to: operators)
    }

    func router(_ middleware: PrincipalMiddleware) -> Router<OpenContext> {
        let router = serviceRouter()
        let (pool, qdrant) = (pool, qdrant)
        HealthRoutes(checks: [
            ("postgres", { await Self.succeeds { try await Migrations.requireCompatible(pool) } }),
            ("qdrant", { await Self.succeeds { try await qdrant.requireReachable() } }),
        ]).add(to: router)
        addRoutes(to: router.members(middleware))
        return router
    }

    var reindexing: Reindexing {
        Reindexing(
            pool: pool, queue: queue, models: models, index: settings.index,
            collectionBase: settings.qdrant.collectionBase, logger: logger)
    }

    var consistencyRuns: ConsistencyRuns {
        ConsistencyRuns(pool: pool, queue: queue, listener: listener)
    }

    var backup: Backup { Backup(pool: pool, storage: storage, logger: logger) }

    var restore: Restore {
        Restore(
            pool: pool, storage: storage, qdrant: qdrant, queue: queue,
            collectionBase: settings.qdrant.collectionBase, logger: logger)
    }

    var comparison: StoreComparison {
        StoreComparison(
            pool: pool, queue: queue, qdrant: qdrant, storage: storage,
            collectionBase: settings.qdrant.collectionBase, logger: logger,
            settleSeconds: settleSeconds)
    }

    /// Compares the stores when it is asked to: one replica at a time, another when that one dies.
    var worker: JobWorker {
        JobWorker(
            pool: pool, listener: listener,
            handlers: [CompareStores(pool: pool, comparison: comparison, logger: logger)],
            concurrency: 1, workerName: executable, logger: logger)
    }

    /// What runs, in the order of starting; stopped in reverse.
    func services() throws -> [any Service] {
        let verifier = try InternalTokenVerifier(
            publicKeys: settings.internalKeys.publicKeys, audience: "admin")
        let server = application(
            router: router(PrincipalMiddleware(verifier: verifier)), settings: settings.http,
            logger: logger)
        var services: [any Service] = [pool, listener, worker]
        if settings.trainingMaterials != nil {
            services.append(
                TrainingSchedule(
                    materials: materials, syncsOnStart: settings.syncsOnStart,
                    intervalSeconds: settings.syncIntervalSeconds, logger: logger))
        }
        return services + [server]
    }

    private static func succeeds(_ body: () async throws -> Void) async -> Bool {
        do {
            try await body()
            return true
        } catch {
            return false
        }
    }
}

extension ModelEndpoint {
    fileprivate init(_ settings: ModelSettings, http: OutboundHTTP) {
        let embedding = settings.embedding
        self.init(
            chat: Address(
                http: http, baseURL: settings.chat.baseURL, apiKey: settings.chat.apiKey),
            passages: Address(
                http: http, baseURL: embedding.baseURL, apiKey: embedding.apiKey),
            questions: Address(
                http: http, baseURL: embedding.questionBaseURL, apiKey: embedding.questionAPIKey),
            dimensionCount: embedding.dimensionCount, batchSize: embedding.batchCountMax)
    }
}
