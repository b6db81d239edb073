import ModelEndpoint
import ServiceRuntime

/// All that chat reads from its environment.
struct ChatSettings: Sendable {
    let runtime: RuntimeSettings
    let http: HTTPSettings
    let database: DatabaseSettings
    let qdrant: QdrantSettings
    let models: ModelSettings
    let fusion: FusionSettings
    /// Nil: chunks stay in the order of the engine.
    let reranking: RerankingSettings?
    let internalKeys: InternalAuthSettings
    var answers: AnswerWriter.Settings
    var allowance: AnswerAllowance
    let connectionCountMax: Int

    init(from reader: inout SettingsReader) {
        runtime = RuntimeSettings(from: &reader)
        http = HTTPSettings(from: &reader, defaultPort: 8101)
        database = DatabaseSettings(from: &reader)
        qdrant = QdrantSettings(from: &reader)
        models = ModelSettings(from: &reader)
        fusion = FusionSettings(from: &reader)
        reranking = RerankingSettings(from: &reader)
        internalKeys = InternalAuthSettings(from: &reader)
        answers = AnswerWriter.Settings(model: models.chat.model)
        answers.systemPrompt = reader.text(
            "CHAT_SYSTEM_PROMPT", default: Prompt.defaultSystemPrompt)
        answers.historyCountMax = reader.count("CHAT_HISTORY_LIMIT", default: 20, in: 0...200)
        answers.outputTokenCountMax = reader.count(
            "CHAT_OUTPUT_TOKENS_MAX", default: 2048, in: 1...32_768)
        if reader.optionalText("CHAT_TEMPERATURE") != nil {
            answers.temperature = reader.number("CHAT_TEMPERATURE", default: 0.2, in: 0...2)
        }
        answers.rewritesQuestions = reader.bool("CHAT_REWRITE", default: true)
        answers.makesTitles = reader.bool("CHAT_TITLES", default: true)
        allowance = AnswerAllowance(
            dailyTokenCountMax: reader.optionalCount(
                "CHAT_DAILY_TOKEN_LIMIT", in: 1...1_000_000_000_000),
            runningCountMax: reader.count("CHAT_ANSWERS_PER_USER", default: 8, in: 1...1000))
        connectionCountMax = reader.count("DATABASE_CONNECTIONS", default: 16, in: 2...200)
    }
}

/// A reranking model. Its key goes nowhere else, and no other goes there.
struct RerankingSettings: Sendable {
    let url: String
    let apiKey: String?
    let model: String?

    /// Nil when none is configured.
    init?(from reader: inout SettingsReader) {
        guard let url = reader.optionalURL("RERANK_URL") else { return nil }
        self.url = url
        apiKey = reader.optionalSecret("RERANK_API_KEY")
        model = reader.optionalText("RERANK_MODEL")
    }
}
