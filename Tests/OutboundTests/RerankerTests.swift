import AsyncHTTPClient
import Foundation
import Logging
import ModelEndpoint
import OutboundHTTP
import Testing

@Suite("A reranking model", .timeLimit(.minutes(5)))
struct RerankerTests {
    private func asking(
        _ answers: [ModelServer.Step]..., path: String = "",
        _ body: @Sendable (Reranker, ModelServer) async throws -> Void
    ) async throws {
        // One at most asks twice.
        let second = answers.count > 1 ? answers[1] : answers[0]
        try await ModelServer.run(answers[0], second) { server in
            let client = OutboundHTTP.makeClient()
            let reranker = Reranker(
                http: OutboundHTTP(client: client, peer: "reranker", logger: Logger(label: "test")),
                url: server.url + path, apiKey: "secret", model: "judge")
            do {
                try await body(reranker, server)
                try await client.shutdown()
            } catch {
                try await client.shutdown()
                throw error
            }
        }
    }

    private static let results = ModelServer.Step.json(
        #"{"results":[{"index":1,"relevance_score":0.9},{"index":0,"relevance_score":-2.5}]}"#)

    @Test("scores texts in their order, whatever the order of its answer")
    func scores() async throws {
        for path in ["", "/", "/rerank"] {
            try await asking([Self.results], path: path) { reranker, server in
                let scores = try await reranker.scores(
                    of: ["a", "b"], for: "q", deadline: .seconds(5))
                #expect(scores == [-2.5, 0.9])
                let sent = await server.requests.all[0]
                #expect(sent.hasPrefix("POST /v1/rerank HTTP/1.1\r\n"))
                #expect(sent.contains("Authorization: Bearer secret"))
                #expect(sent.contains(#""documents":["a","b"]"#))
                #expect(sent.contains(#""model":"judge""#))
                #expect(sent.contains(#""top_n":2"#))
            }
        }
    }

    @Test("is asked in the other way when it does not know the first, and from then on")
    func otherDialect() async throws {
        let refusal = ModelServer.Step.json(
            #"{"error":"missing field `texts`"}"#, status: "422 Unprocessable Entity")
        let list = ModelServer.Step.json(#"[{"index":0,"score":0.7},{"index":1,"score":0.1}]"#)
        try await asking([refusal], [list]) { reranker, server in
            for _ in 0..<2 {
                let scores = try await reranker.scores(
                    of: ["a", "b"], for: "q", deadline: .seconds(5))
                #expect(scores == [0.7, 0.1])
            }
            let sent = await server.requests.all
            #expect(sent.count == 3)
            #expect(sent.dropFirst().allSatisfy { $0.contains(#""texts":["a","b"]"#) })
        }
    }

    @Test(
        "gives no scores when one is missing, twice there, out of place or no number",
        arguments: [
            #"{"results":[{"index":0,"relevance_score":1}]}"#,
            #"{"results":[{"index":0,"relevance_score":1},{"index":0,"relevance_score":1}]}"#,
            #"{"results":[{"index":0,"relevance_score":1},{"index":2,"relevance_score":1}]}"#,
            #"{"results":[{"index":0,"relevance_score":1},{"index":-1,"relevance_score":1}]}"#,
            #"{"results":[{"index":0},{"index":1}]}"#, #"{"results":"none"}"#, "[", "{}",
        ])
    func undecodable(answer: String) async throws {
        try await asking([.json(answer)]) { reranker, _ in
            await #expect(throws: ModelError.undecodable) {
                try await reranker.scores(of: ["a", "b"], for: "q", deadline: .seconds(5))
            }
        }
    }

    @Test("is waited for only so long")
    func silent() async throws {
        try await asking([.hang]) { reranker, _ in
            await #expect(throws: ModelError.timedOut) {
                try await reranker.scores(of: ["a"], for: "q", deadline: .milliseconds(200))
            }
        }
    }
}
