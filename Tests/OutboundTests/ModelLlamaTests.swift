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
            let stream = try await endpoint.chat(
                [ChatMessage(role: .user, content: "Say hello.")], model: "local-chat",
                temperature: 0, outputTokenCountMax: 24)
            var text = ""
            var last: ChatEvent?
            for try await event in stream {
                if case .text(let piece) = event { text += piece }
                last = event
            }
            #expect(!text.isEmpty)
            guard case .finished(let reason, let usage) = last else {
                Issue.record("no end: \(String(describing: last))")
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
            let stream = try await endpoint.chat(
                [ChatMessage(role: .user, content: "Count from one to a hundred in words.")],
                model: "local-chat", temperature: 0, outputTokenCountMax: 5)
            var last: ChatEvent?
            for try await event in stream { last = event }
            guard case .finished(.length, _) = last else {
                Issue.record("ended with \(String(describing: last))")
                return
            }
        }
    }

    @Test("refuses what is too long for its window")
    func tooLong() async throws {
        try await withEndpoint { endpoint in
            let text = String(repeating: "energy community ", count: 30_000)
            await #expect(throws: ModelError.tooLong) {
                let stream = try await endpoint.chat(
                    [ChatMessage(role: .user, content: text)], model: "local-chat",
                    outputTokenCountMax: 5)
                for try await _ in stream {}
            }
        }
    }
}
