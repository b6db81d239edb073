import ServiceRuntime
import Testing

@Suite("Settings")
struct SettingsReaderTests {
    @Test("names every problem at once, and never a value")
    func allProblems() throws {
        var reader = SettingsReader(["HTTP_PORT": "s3cret", "QDRANT_URL": "not-an-address"])
        _ = HTTPSettings(from: &reader, defaultPort: 8000)
        _ = QdrantSettings(from: &reader)
        _ = DatabaseSettings(from: &reader)
        let error = #expect(throws: SettingsError.self) { try reader.finish() }
        let text = try #require(error).description
        for name in ["HTTP_PORT", "QDRANT_URL", "DATABASE_URL"] { #expect(text.contains(name)) }
        #expect(!text.contains("s3cret"))
        #expect(!text.contains("not-an-address"))
    }

    @Test("takes an empty value for an unset one")
    func emptyIsUnset() throws {
        var reader = SettingsReader(["QDRANT_COLLECTION": "", "QDRANT_URL": " http://q:6333/ "])
        let settings = QdrantSettings(from: &reader)
        try reader.finish()
        #expect(settings.collectionBase == "celine_docs")
        #expect(settings.url == "http://q:6333")
    }

    @Test("guesses addresses in dev alone")
    func devGuesses() throws {
        var dev = SettingsReader(["APP_ENV": "dev"])
        #expect(QdrantSettings(from: &dev).url == "http://127.0.0.1:6333")
        try dev.finish()
        var prod = SettingsReader([:])
        _ = QdrantSettings(from: &prod)
        #expect(throws: SettingsError(problems: ["QDRANT_URL is missing"])) { try prod.finish() }
    }

    @Test("reads lists as JSON and as words between commas", arguments: [#"["a","b"]"#, "a, b,"])
    func lists(text: String) throws {
        var reader = SettingsReader(["LIST": text])
        #expect(reader.list("LIST") == ["a", "b"])
        try reader.finish()
    }

    @Test("reads four weights or none", arguments: ["1,0.5", "1,2,x,4", "1,2,3,-4", "1,0,1,1"])
    func weights(text: String) throws {
        var reader = SettingsReader(["RRF_K": "2", "RRF_WEIGHTS": "1, 0.5, 0.25, 0"])
        let fusion = FusionSettings(from: &reader)
        try reader.finish()
        #expect(fusion.k == 2)
        #expect(fusion.weights == [1, 0.5, 0.25, 0])
        var wrong = SettingsReader(["RRF_WEIGHTS": text])
        _ = FusionSettings(from: &wrong)
        #expect(throws: SettingsError.self) { try wrong.finish() }
    }

    @Test("refuses to trust identity headers, and names old settings without effect")
    func oldSettings() {
        let reader = SettingsReader([
            "OAUTH2_TRUST_HEADERS": "true", "DOCS_PATH": "x", "INGEST_URL": "http://i",
        ])
        #expect(throws: SettingsError.self) { try reader.finish() }
        #expect(reader.oldSettings == ["DOCS_PATH", "OAUTH2_TRUST_HEADERS"])
    }

    @Test("gives a key only to the address it was given for")
    func keys() throws {
        var reader = SettingsReader([
            "OPENAI_API_KEY": "k", "OPENAI_EMBED_BASE_URL": "http://elsewhere/v1",
        ])
        let settings = ModelSettings(from: &reader)
        try reader.finish()
        #expect(settings.chat.apiKey == "k")
        #expect(settings.embedding.apiKey == nil)
        #expect(settings.embedding.questionBaseURL == "http://elsewhere/v1")
    }
}
