import AsyncHTTPClient
import Database
import FoundationEssentials
import HTTPService
import Hummingbird
import Identity
import Logging
import ModelEndpoint
import OutboundHTTP
import Postgres
import Qdrant
import Retrieval
import ServiceLifecycle
import ServiceRuntime

/// Conversations, retrieval and answers, and what they stand on.
struct Chat: Sendable {
    let settings: ChatSettings
    let pool: PostgresPool
    /// Of what keeps answers alive and keeps them: it does not queue behind requests.
    let keepingPool: PostgresPool
    let listener: PostgresListener
    let models: ModelEndpoint
    let qdrant: Qdrant
    let retrieval: Retrieval
    let generation: LiveGeneration
    let questionModel: QuestionModel
    let answering: Answering
    let turns: Wakeups
    let attachments: Wakeups
    let streams: Wakeups
    let logger: Logger

    private static let keepingConnectionCount = 4

    init(
        settings: ChatSettings, database: PostgresConfiguration, client: HTTPClient,
        limits: Answering.Limits = .init(), logger: Logger
    ) {
        self.settings = settings
        self.logger = logger
        let replica = UUID().uuidString.lowercased()
        pool = PostgresPool(
            database, connectionCountMax: settings.connectionCountMax, waitMax: .seconds(5),
            logger: logger)
        keepingPool = PostgresPool(
            database, connectionCountMax: Self.keepingConnectionCount, waitMax: .seconds(5),
            logger: logger)
        listener = PostgresListener(
            database,
            channels: [
                Channel.generations, Channel.attachments, MessageStore.turnsChannel,
                MessageStore.cancellationsChannel, StreamStore.channel,
            ], logger: logger)
        qdrant = Qdrant(
            http: OutboundHTTP(client: client, peer: "qdrant", logger: logger),
            url: settings.qdrant.url, apiKey: settings.qdrant.apiKey)
        models = ModelEndpoint(
            settings.models, http: OutboundHTTP(client: client, peer: "models", logger: logger))
        retrieval = Retrieval(
            qdrant: qdrant, models: models, pool: pool,
            fusion: Fusion(k: settings.fusion.k, weights: settings.fusion.weights),
            reranker: settings.reranking.map { reranking in
                Reranker(
                    http: OutboundHTTP(client: client, peer: "reranker", logger: logger),
                    url: reranking.url, apiKey: reranking.apiKey, model: reranking.model)
            }, logger: logger)
        generation = LiveGeneration(
            pool: pool, listener: listener, qdrant: qdrant, replica: replica, logger: logger)
        questionModel = QuestionModel(
            models: models, live: generation,
            settingsModel: settings.models.embedding.questionModel, logger: logger)
        turns = Wakeups(listener, channel: MessageStore.turnsChannel)
        attachments = Wakeups(listener, channel: Channel.attachments)
        streams = Wakeups(listener, channel: StreamStore.channel)
        let answers = settings.answers
        let writer = AnswerWriter(
            settings: answers,
            materials: AnswerMaterials(
                pool: pool, retrieval: retrieval,
                rewriter: QuestionRewriter(
                    models: models, model: answers.model,
                    asksModel: answers.rewritesQuestions, logger: logger),
                generation: generation,
                attachments: attachments, attachmentWait: answers.attachmentWait,
                historyCountMax: answers.historyCountMax),
            models: models, keeper: AnswerKeeper(pool: keepingPool, logger: logger), turns: turns,
            pool: pool, logger: logger)
        let titles = TitleMaker(
            models: models, model: answers.model, pool: pool, logger: logger)
        let summaries = SummaryMaker(
            models: models, model: answers.model, historyCountMax: answers.historyCountMax,
            pool: pool, logger: logger)
        answering = Answering(
            writer: writer, titles: answers.makesTitles ? titles : nil, summaries: summaries,
            pool: keepingPool, listener: listener, replica: replica, limits: limits, logger: logger)
    }

    /// What runs, in the order of starting; stopped in reverse. Answers are given their time first,
    /// while the server still carries them to their viewers.
    func services() throws -> [any Service] {
        parts + [try server(), answering]
    }

    /// What answers and routes stand on.
    var parts: [any Service] {
        [pool, keepingPool, listener, generation, turns, attachments, streams]
    }

    private func server() throws -> some Service {
        let router = serviceRouter()
        health.add(to: router)
        let verifier = try InternalTokenVerifier(
            publicKeys: settings.internalKeys.publicKeys, audience: "chat")
        addRoutes(to: router.members(verifier), events: EventStream())
        return application(router: router, settings: settings.http, logger: logger)
    }

    func addRoutes(to group: RouterGroup<ServiceContext>, events: EventStream) {
        let routes = group.add(middleware: StoreProblems())
        ChatRoutes(
            answering: answering,
            intake: QuestionIntake(
                pool: pool, replica: answering.replica,
                leaseSeconds: answering.limits.leaseSeconds, allowance: settings.allowance),
            reader: StreamReader(pool: pool, news: streams, answering: answering), pool: pool,
            events: events
        ).add(to: routes)
        SearchRoutes(pool: pool, retrieval: retrieval, generation: generation).add(to: routes)
        ConversationRoutes(pool: pool, answering: answering).add(to: routes)
        FeedbackRoutes(pool: pool).add(to: routes)
        SuggestionRoutes().add(to: routes)
    }

    var health: HealthRoutes {
        HealthRoutes(
            checks: [
                (
                    "postgres",
                    {
                        do {
                            try await pool.read(deadline: .seconds(2)) {
                                _ = try $0.run("SELECT 1")
                            }
                            return true
                        } catch {
                            return false
                        }
                    }
                )
            ], notes: [("question_model", { await questionModel.note() })])
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

extension Chat {
    /// The connections of a whole replica. Each answer holds one to the model until it ends, so a
    /// replica can write no more answers at a time than that.
    static func makeClient(
        certificateFile: String? = nil, limits: Answering.Limits = .init()
    ) -> HTTPClient {
        OutboundHTTP.makeClient(
            certificateFile: certificateFile, connectionCountMax: limits.answerCountMax)
    }
}
