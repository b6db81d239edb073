import ArgumentParser
import AsyncHTTPClient
import Database
import Domain
import Foundation
import ModelEndpoint
import OutboundHTTP
import Postgres
import Qdrant
import Retrieval
import ServiceRuntime

/// Asks an index what `make eval` wants to know: questions in, rankings out, both as JSON.
@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluation",
        abstract: "Reads [{id, question}] and prints what each leg of the search finds.")

    @Option(help: "How many results an answer would be made of.")
    var topK = 10

    func run() async throws {
        var reader = SettingsReader.ofProcess()
        let index = IndexUnderTest(from: &reader)
        try reader.finish()
        let questions = try JSONDecoder().decode(
            [AskedQuestion].self, from: FileHandle.standardInput.readDataToEndOfFile())
        try await index.run { searcher in
            let encoder = JSONEncoder()
            for question in questions {
                let found = try await searcher.find(question, topK: topK)
                var line = try encoder.encode(found)
                line.append(UInt8(ascii: "\n"))
                try FileHandle.standardOutput.write(contentsOf: line)
            }
        }
    }
}

/// The database, the engine and the models of an index, by the services' own settings.
struct IndexUnderTest {
    let database: DatabaseSettings
    let qdrant: QdrantSettings
    let models: ModelSettings
    let fusion: FusionSettings

    init(from reader: inout SettingsReader) {
        database = DatabaseSettings(from: &reader)
        qdrant = QdrantSettings(from: &reader)
        models = ModelSettings(from: &reader)
        fusion = FusionSettings(from: &reader)
    }

    func run(_ body: (Searcher) async throws -> Void) async throws {
        let logger = JSONLog.bootstrap(service: "evaluation", level: .warning)
        let client = OutboundHTTP.makeClient()
        let pool = PostgresPool(
            try PostgresConfiguration(url: database.url), connectionCountMax: 2,
            waitMax: .seconds(5), logger: logger)
        func http(_ peer: String) -> OutboundHTTP {
            OutboundHTTP(client: client, peer: peer, logger: logger)
        }
        let questions = ModelEndpoint.Address(
            http: http("models"), baseURL: models.embedding.questionBaseURL,
            apiKey: models.embedding.questionAPIKey)
        let retrieval = Retrieval(
            qdrant: Qdrant(http: http("qdrant"), url: qdrant.url, apiKey: qdrant.apiKey),
            models: ModelEndpoint(chat: questions, passages: questions), pool: pool,
            fusion: Fusion(k: fusion.k, weights: fusion.weights), logger: logger)
        let outcome: Result<Void, any Error>
        do {
            guard let generation = try await pool.read({ try GenerationStore($0).live() }) else {
                throw ValidationError("Nothing has been indexed.")
            }
            outcome = .success(
                try await body(Searcher(retrieval: retrieval, generation: generation)))
        } catch {
            outcome = .failure(error)
        }
        await pool.close()
        try await client.shutdown()
        try outcome.get()
    }
}
