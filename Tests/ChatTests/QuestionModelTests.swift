import AsyncHTTPClient
import Database
import Domain
import FoundationEssentials
import HTTPService
import Hummingbird
import HummingbirdTesting
import ModelEndpoint
import NIOCore
import NIOHTTP1
import OutboundHTTP
import Postgres
import TestSupport
import Testing

@testable import Chat

@Suite("The model of questions")
struct QuestionModelTests {
    @Test("is the live index's; where it is not served, readiness says so and stays")
    func note() async throws {
        let name = "questions-\(UUID().uuidString)"
        try await ChatWorld.run { world in
            let client = OutboundHTTP.makeClient()
            do {
                let asked = try Self.model(client)
                #expect(await asked.note(world) == nil)
                try await Self.makeLive(name, size: 24, in: world)
                #expect(await asked.note(world) == nil)
                // Not what the settings name.
                #expect(try await Self.sizes(name) == [24])
                try await Self.script(name, #"[{"status": 404}]"#)
                let refused = await asked.note(world)
                #expect(refused?.contains("refuses \(name)") == true, "\(refused ?? "nil")")
                #expect(refused?.contains("404") == true)
            } catch {
                try await client.shutdown()
                throw error
            }
            try await client.shutdown()
        }
    }

    @Test("that is away is a note beside the checks of readiness")
    func readiness() async throws {
        let router = serviceRouter()
        HealthRoutes(
            checks: [("postgres", { true })], notes: [("question_model", { "not served" })]
        ).add(to: router)
        try await Application(router: router).test(.router) { client in
            let answer = try await client.execute(uri: "/internal/ready", method: .get)
            #expect(answer.status == .ok)
            let text = String(buffer: answer.body)
            #expect(text.contains(#""notes":{"question_model":"not served"}"#), "\(text)")
        }
    }

    private struct Asked {
        let models: ModelEndpoint

        func note(_ world: ChatWorld) async -> String? {
            await QuestionModel(
                models: models, live: world.chat.generation, settingsModel: "another",
                logger: .test
            ).note()
        }
    }

    /// Settings that name another size than the index has.
    private static func model(_ client: HTTPClient) throws -> Asked {
        let address = ModelEndpoint.Address(
            http: OutboundHTTP(client: client, peer: "models", logger: .test),
            baseURL: try environment("TEST_SCRIPTED_URL"), apiKey: nil)
        return Asked(models: ModelEndpoint(chat: address, passages: address, dimensionCount: 99))
    }

    private static func makeLive(_ model: String, size: Int, in world: ChatWorld) async throws {
        _ = try await world.pool.transaction { transaction in
            try GenerationStore(transaction).ensureLive(
                IndexDescription(
                    passageModel: model, questionModel: model, dimensionCount: size,
                    chunkingVersion: "test", analysisVersion: "test"),
                collectionBase: "test_\(UUID().uuidString)")
        }
        await world.chat.generation.look()
    }

    private static func script(_ model: String, _ steps: String) async throws {
        var request = HTTPClientRequest(url: try control("/script"))
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(string: #"{"model": "\#(model)", "steps": \#(steps)}"#))
        _ = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
    }

    /// Those the model was asked for.
    private static func sizes(_ model: String) async throws -> Set<Int> {
        let request = HTTPClientRequest(url: try control("/requests?model=\(model)"))
        let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
        let body = try await answer.body.collect(upTo: 1 << 20)
        return Set(
            String(buffer: body).matches(of: /"dimensions": ?(\d+)/).compactMap { Int($0.1) })
    }

    private static func control(_ path: String) throws -> String {
        try environment("TEST_SCRIPTED_URL").replacing("/v1", with: path)
    }
}
