import Foundation
import ModelEndpoint
import Testing

private let llamaURL = ProcessInfo.processInfo.environment["TEST_LLAMA_URL"]

/// Our reading of the wire against llama.cpp's own server, so that it is not our invention.
@Suite("A real llama.cpp server", .enabled(if: llamaURL != nil, "TEST_LLAMA_URL is not set"))
struct ModelLlamaTests {
    private func withEndpoint<Result>(
        _ body: (ModelEndpoint) async throws -> Result
    ) async throws -> Result {
        let server = ModelServer(
            url: llamaURL ?? "", requests: ModelServer.Requests(),
            goneClients: AsyncStream { $0.finish() })
        return try await server.withEndpoint(body)
    }

    @Test("streams an answer that ends with a reason and usage")
    func answer() async throws {
        try await withEndpoint { endpoint in
            let answer = try await endpoint.collect(
                [ChatMessage(role: .user, content: "Say hello.")], model: "local-chat",
                temperature: 0, outputTokenCountMax: 24)
            #expect(!answer.text.isEmpty)
            guard case .finished(let reason, let usage) = answer.last else {
                Issue.record("no end: \(String(describing: answer.last))")
                return
            }
            #expect(reason == .stop || reason == .length)
            #expect((usage?.completionTokenCount ?? 0) > 0)
            #expect((usage?.promptTokenCount ?? 0) > 0)
        }
    }

    @Test("says that it stopped for length")
    func length() async throws {
        try await withEndpoint { endpoint in
            let answer = try await endpoint.collect(
                [ChatMessage(role: .user, content: "Count from one to a hundred in words.")],
                model: "local-chat", temperature: 0, outputTokenCountMax: 5)
            guard case .finished(.length, _) = answer.last else {
                Issue.record("ended with \(String(describing: answer.last))")
                return
            }
        }
    }

    @Test("refuses what is too long for its window")
    func tooLong() async throws {
        try await withEndpoint { endpoint in
            let text = String(repeating: "energy community ", count: 30_000)
            await #expect(throws: ModelError.tooLong) {
                try await endpoint.collect(
                    [ChatMessage(role: .user, content: text)], model: "local-chat",
                    outputTokenCountMax: 5)
            }
        }
    }
}
