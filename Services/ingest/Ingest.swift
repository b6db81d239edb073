import AsyncHTTPClient
import Database
import Domain
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
import Retrieval
import ServiceLifecycle
import ServiceRuntime

/// Uploads, the workers that index and erase, and what they stand on.
struct Ingest: Sendable {
    let settings: IngestSettings
    let pool: PostgresPool
    let listener: PostgresListener
    /// Of attachments whose indexing went on.
    let news: Wakeups
    let storage: any ObjectStorage
    let qdrant: Qdrant
    let models: ModelEndpoint
    let logger: Logger
    /// A worker that dies is replaced after at most this time.
    var leaseSeconds = 20
    /// What operators read of whoever holds a job.
    var workerName = "ingest"
    private let queue = JobQueue()
    private let points: PointErasure
    private let lateWrites: LateWrites
    private let embeddings: EmbeddingQueue
    /// Our own executable, which is also the child that opens documents.
    private let executable: String

    init(
        settings: IngestSettings, pool: PostgresPool, listener: PostgresListener,
        storage: any ObjectStorage, qdrant: Qdrant, models: ModelEndpoint, executable: String,
        logger: Logger
    ) {
        self.settings = settings
        self.pool = pool
        self.listener = listener
        news = Wakeups(listener, channel: Channel.attachments)
        self.storage = storage
        self.qdrant = qdrant
        self.models = models
        self.executable = executable
        self.logger = logger
        points = PointErasure(pool: pool, qdrant: qdrant)
        lateWrites = LateWrites(pool: pool, points: points, logger: logger)
        embeddings = EmbeddingQueue(
            models: models, batchSize: settings.models.embedding.batchCountMax,
            concurrency: settings.embedConcurrency, logger: logger)
    }

    /// On what the settings name.
    init(settings: IngestSettings, client: HTTPClient, executable: String, logger: Logger) throws {
        let database = try PostgresConfiguration(
            url: settings.database.url, applicationName: "celine-ingest",
            certificateFile: settings.runtime.certificateFile)
        self.init(
            settings: settings,
            pool: PostgresPool(
                database, connectionCountMax: settings.concurrency * 2 + 8, waitMax: .seconds(5),
                logger: logger),
            listener: PostgresListener(database, channels: Self.channels, logger: logger),
            storage: try makeObjectStorage(settings.storage, logger: logger),
            qdrant: Qdrant(
                http: OutboundHTTP(client: client, peer: "qdrant", logger: logger),
                url: settings.qdrant.url, apiKey: settings.qdrant.apiKey),
            models: ModelEndpoint(
                settings.models,
                http: OutboundHTTP(client: client, peer: "models", logger: logger)),
            executable: executable, logger: logger)
    }

    static let channels = [Channel.jobs, Channel.attachments]

    /// What runs, in the order of starting; stopped in reverse.
    func services() throws -> [any Service] {
        var services: [any Service] = [
            pool, listener, news, SandboxReport(sandbox: sandbox, logger: logger),
        ]
        if settings.roles.contains(.worker) {
            services += [firstGeneration, retentionSchedule] + workerServices
        }
        let verifier = try InternalTokenVerifier(
            publicKeys: settings.internalKeys.publicKeys, audience: "ingest")
        services.append(
            application(router: router(verifier), settings: settings.http, logger: logger))
        return services
    }

    /// Without the role `api`, only what an orchestrator asks.
    func router(_ verifier: InternalTokenVerifier) -> Router<OpenContext> {
        let router = serviceRouter()
        let pool = pool
        HealthRoutes(checks: [
            (
                "postgres",
                {
                    // Whatever went wrong, the answer is no.
                    (try? await pool.read(deadline: .seconds(2)) { try $0.run("SELECT 1") }) != nil
                }
            )
        ]).add(to: router)
        if settings.roles.contains(.api) {
            addRoutes(to: router.members(verifier).add(middleware: StoresAway()))
        }
        return router
    }

    var firstGeneration: FirstGeneration {
        FirstGeneration(
            pool: pool, qdrant: qdrant, models: models, index: settings.index,
            succession: succession, collectionBase: settings.qdrant.collectionBase, logger: logger)
    }

    private var succession: GenerationSuccession {
        GenerationSuccession(
            pool: pool, qdrant: qdrant, queue: queue,
            collectionBase: settings.qdrant.collectionBase,
            keptCount: settings.generationsKeptCount, logger: logger)
    }

    private var collections: GenerationCollections {
        GenerationCollections(pool: pool, qdrant: qdrant)
    }

    private var generationBuilding: BuildGeneration {
        let retrieval = Retrieval(
            qdrant: qdrant, models: models, pool: pool,
            fusion: Fusion(k: settings.fusion.k, weights: settings.fusion.weights), logger: logger)
        return BuildGeneration(
            pool: pool, collections: collections,
            checking: GenerationChecking(
                pool: pool, qdrant: qdrant, comparison: GenerationComparison(retrieval),
                logger: logger),
            succession: succession, queue: queue, overlapMin: settings.reindexOverlapMin,
            logger: logger)
    }

    /// What works off the jobs.
    var workerServices: [any Service] { [embeddings, lateWrites, storageSweep, worker] }

    var storageSweep: StorageSweep { StorageSweep(pool: pool, storage: storage, logger: logger) }

    private var sandbox: DocumentSandbox {
        DocumentSandbox(storage: storage, executable: executable, limits: settings.extraction)
    }

    private var captions: PictureCaptions? {
        settings.models.visionModel.map { model in
            PictureCaptions(
                pool: pool, renderer: renderer, models: models, model: model, logger: logger)
        }
    }

    private var renderer: PageRenderer {
        PageRenderer(sandbox: sandbox, concurrency: settings.concurrency)
    }

    private var worker: JobWorker {
        JobWorker(
            pool: pool, listener: listener, handlers: handlers, concurrency: settings.concurrency,
            leaseSeconds: leaseSeconds, workerName: workerName, logger: logger)
    }

    private var handlers: [any JobHandler] {
        let embedder = Embedder(pool: pool, queue: embeddings)
        let indexer = DocumentIndexer(
            pool: pool, qdrant: qdrant,
            drafts: RevisionDrafts(
                pool: pool, extractor: Extractor(sandbox: sandbox), captions: captions,
                embedder: embedder),
            embedder: embedder,
            queue: queue, lateWrites: lateWrites, collections: collections, logger: logger)
        return [
            IndexAttachment(pool: pool, indexer: indexer),
            IndexTrainingPage(pool: pool, indexer: indexer, queue: queue),
            ReindexDocument(pool: pool, indexer: indexer),
            generationBuilding,
            DropGeneration(pool: pool, qdrant: qdrant, queue: queue),
            EraseDocument(pool: pool, points: points, storage: storage),
            EnforceRetention(
                pool: pool, retention: settings.retention, deletion: deletion, logger: logger),
            SweepRevisions(pool: pool, qdrant: qdrant),
        ]
    }

    private var deletion: DocumentDeletion { DocumentDeletion(queue: queue) }

    var allowance: UploadAllowance {
        UploadAllowance(pool: pool, limits: settings.userLimits, logger: logger)
    }

    var keeping: UploadKeeping {
        UploadKeeping(
            pool: pool, queue: queue, storage: storage, allowance: allowance, logger: logger)
    }

    var retentionSchedule: RetentionSchedule {
        RetentionSchedule(pool: pool, queue: queue, logger: logger)
    }

    private func addRoutes(to router: some RouterMethods<ServiceContext>) {
        UploadRoutes(
            receiving: UploadReceiving(storage: storage, byteCountMax: settings.byteCountMax),
            keeping: keeping, allowance: allowance,
            waiting: IndexingWait(
                pool: pool, news: news, defaultSeconds: settings.uploadWaitSeconds),
            logger: logger
        ).add(to: router)
        AttachmentRoutes(
            pool: pool, deletion: deletion, points: points,
            following: IndexingEvents(pool: pool, news: news), logger: logger
        ).add(to: router)
        UserRoutes(
            pool: pool, limits: settings.userLimits, uploadByteCountMax: settings.byteCountMax,
            export: UserExport(pool: pool, storage: storage, logger: logger),
            erasure: UserErasure(pool: pool, queue: queue, deletion: deletion), logger: logger
        ).add(to: router)
        DownloadRoutes(pool: pool, storage: storage).add(to: router)
        PageRoutes(pool: pool, renderer: renderer).add(to: router)
    }
}

extension ModelEndpoint {
    init(_ settings: ModelSettings, http: OutboundHTTP) {
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
