import Foundation
import ModelEndpoint
import Testing

@Suite("An embedding model")
struct ModelEmbeddingTests {
    private func body(_ items: String, tokens: Int = 5) -> ModelServer.Step {
        .json(#"{"data":[\#(items)],"usage":{"prompt_tokens":\#(tokens)}}"#)
    }

    private func item(_ index: Int, _ vector: String) -> String {
        #"{"object":"embedding","index":\#(index),"embedding":[\#(vector)]}"#
    }

    @Test("gives vectors in the order of the texts, whatever the order of the answer")
    func order() async throws {
        let answer = [body(item(1, "0,1") + "," + item(0, "1,0"))]
        try await ModelServer.run(answer) { server in
            try await server.withEndpoint { endpoint in
                let found = try await endpoint.embed(["a", "b"], as: .passage, model: "m")
                #expect(found.vectors == [[1, 0], [0, 1]])
                #expect(found.promptTokenCount == 5)
            }
            let sent = await server.requests.all[0]
            #expect(sent.contains(#""input":["a","b"]"#))
            #expect(!sent.contains("dimensions"))
        }
    }

    @Test("is asked in batches, whose tokens are summed")
    func batches() async throws {
        let two = body(item(0, "1,0") + "," + item(1, "0,1"))
        try await ModelServer.run([two], [body(item(0, "1,1"), tokens: 2)]) { server in
            try await server.withEndpoint(dimensionCount: 2, batchSize: 2) { endpoint in
                let found = try await endpoint.embed(["a", "b", "c"], as: .question, model: "m")
                #expect(found.vectors == [[1, 0], [0, 1], [1, 1]])
                #expect(found.promptTokenCount == 7)
            }
            let sent = await server.requests.all
            #expect(sent.count == 2)
            #expect(sent[0].contains(#""dimensions":2"#))
        }
    }

    @Test(
        "is asked for the size an index has, and only where it was asked before",
        arguments: [true, false])
    func size(isNamed: Bool) async throws {
        try await ModelServer.run([body(item(0, "1,0"))]) { server in
            try await server.withEndpoint(dimensionCount: 3) { endpoint in
                let found = try await endpoint.embed(
                    ["a"], as: .question, model: "m", expecting: 2, namesSize: isNamed)
                #expect(found.vectors == [[1, 0]])
            }
            let sent = await server.requests.all[0]
            #expect(sent.contains(#""dimensions":2"#) == isNamed)
            #expect(!sent.contains(#""dimensions":3"#))
        }
    }

    @Test("is not asked for no texts")
    func none() async throws {
        try await ModelServer.run([.hang]) { server in
            try await server.withEndpoint { endpoint in
                let found = try await endpoint.embed([], as: .passage, model: "m")
                #expect(found.vectors.isEmpty)
            }
            #expect(await server.requests.all.isEmpty)
        }
    }

    @Test(
        "that answers with something else is undecodable",
        arguments: [
            #"{"data":[]}"#, #"{"data":[{"index":1,"embedding":[1,2]}]}"#,
            #"{"data":[{"index":0,"embedding":[1]}]}"#,
            #"{"data":[{"index":0,"embedding":[1,2]},{"index":0,"embedding":[1,2]}]}"#,
            #"{"data":[{"index":0,"embedding":[1,1e99]}]}"#, "<html>", #"{"data":null}"#,
        ])
    func otherForms(answer: String) async throws {
        try await ModelServer.run([.json(answer)]) { server in
            try await server.withEndpoint { endpoint in
                await #expect(throws: ModelError.undecodable) {
                    try await endpoint.embed(["a"], as: .passage, model: "m", expecting: 2)
                }
            }
        }
    }

    @Test("that is overloaded for a moment is asked again")
    func again() async throws {
        let away = ModelServer.Step.json("{}", status: "503 Service Unavailable")
        try await ModelServer.run([away], [body(item(0, "1,0"))]) { server in
            try await server.withEndpoint { endpoint in
                let found = try await endpoint.embed(["a"], as: .passage, model: "m")
                #expect(found.vectors == [[1, 0]])
            }
            #expect(await server.requests.all.count == 2)
        }
    }

    @Test("that never answers times out")
    func silent() async throws {
        try await ModelServer.run([.hang]) { server in
            try await server.withEndpoint { endpoint in
                await #expect(throws: ModelError.timedOut) {
                    try await endpoint.embed(
                        ["a"], as: .question, model: "m", deadline: .milliseconds(200))
                }
            }
        }
    }

    @Test("that is not there gives no vectors")
    func absent() async throws {
        let url = try await ModelServer.run([.hang]) { $0.url }
        let gone = ModelServer(
            url: url, requests: ModelServer.Requests(), goneClients: AsyncStream { $0.finish() })
        try await gone.withEndpoint { endpoint in
            await #expect(throws: ModelError.self) {
                try await endpoint.embed(["a"], as: .question, model: "m", deadline: .seconds(2))
            }
        }
    }
}
