/// Where the models are. A key goes only to the address it was given for.
package struct ModelSettings: Sendable {
    package struct Chat: Sendable {
        package let baseURL: String
        package let apiKey: String?
        package let model: String
    }

    package struct Embedding: Sendable {
        package let baseURL: String
        package let apiKey: String?
        /// For passages; what a generation is named for.
        package let model: String
        /// Asked of the endpoint when set; else the model's own size is found by asking.
        package let dimensionCount: Int?
        /// Questions may be embedded elsewhere, so that they never wait behind passages.
        package let questionBaseURL: String
        package let questionModel: String
        package let questionAPIKey: String?
        /// Texts in one call.
        package let batchCountMax: Int
        /// What the passage model reads of a text; chunks are cut to it.
        package let windowTokenCount: Int
    }

    package let chat: Chat
    package let embedding: Embedding
    package let visionModel: String?

    package init(from reader: inout SettingsReader) {
        let baseURL = reader.url("OPENAI_BASE_URL", default: "https://api.openai.com/v1")
        let key = reader.optionalSecret("OPENAI_API_KEY")
        chat = Chat(
            baseURL: baseURL, apiKey: key,
            model: reader.text("OPENAI_CHAT_MODEL", default: "gpt-4o-mini"))
        visionModel = reader.optionalText("OPENAI_VISION_MODEL")
        embedding = Embedding(from: &reader, baseURL: baseURL, apiKey: key)
    }
}

extension ModelSettings.Embedding {
    fileprivate init(from reader: inout SettingsReader, baseURL: String, apiKey: String?) {
        let own = reader.url("OPENAI_EMBED_BASE_URL", default: baseURL)
        let ownKey =
            reader.optionalSecret("OPENAI_EMBED_API_KEY") ?? (own == baseURL ? apiKey : nil)
        let question = reader.url("OPENAI_EMBED_QUERY_BASE_URL", default: own)
        self.baseURL = own
        self.apiKey = ownKey
        model = reader.text("OPENAI_EMBED_MODEL", default: "text-embedding-3-small")
        dimensionCount = reader.optionalCount("OPENAI_EMBED_DIMENSIONS", in: 1...16_384)
        questionBaseURL = question
        questionModel = reader.optionalText("OPENAI_EMBED_QUERY_MODEL") ?? model
        questionAPIKey = question == own ? ownKey : question == baseURL ? apiKey : nil
        batchCountMax = reader.count("EMBED_BATCH_SIZE", default: 64, in: 1...2048)
        windowTokenCount = reader.count("EMBED_WINDOW_TOKENS", default: 512, in: 64...65_536)
    }
}
