import ModelEndpoint
import Testing

@Suite("A chat model's stream", .timeLimit(.minutes(5)))
struct ModelChatTests {
    private let question = [ChatMessage(role: .user, content: "Ciao?")]

    /// All events, and the error that ended them, if one did.
    private func answer(
        to steps: [ModelServer.Step], limits: ChatLimits = ChatLimits()
    ) async throws -> (events: [ChatEvent], error: ModelError?) {
        try await ModelServer.run(steps) { server in
            try await server.withEndpoint { endpoint in
                let answer = CollectedAnswer()
                do {
                    try await endpoint.chat(question, model: "m", limits: limits) {
                        try await answer.read($0)
                    }
                    return (answer.events, nil)
                } catch let error as ModelError {
                    return (answer.events, error)
                }
            }
        }
    }

    @Test("gives text, the reason it ended and what it used")
    func whole() async throws {
        let (events, error) = try await answer(to: [
            .eventStreamHead, .piece("Buon"), .piece("giorno"), .finish(), .usage, .done,
        ])
        #expect(error == nil)
        let used = TokenUsage(promptTokenCount: 7, completionTokenCount: 2)
        #expect(
            events == [.text("Buon"), .text("giorno"), .finished(.stop, usage: used)])
    }

    @Test("asks for a stream with usage, and sends the key")
    func request() async throws {
        try await ModelServer.run([.eventStreamHead, .finish(), .done]) { server in
            try await server.withEndpoint { endpoint in
                _ = try await endpoint.collect(
                    question, temperature: 0.2, outputTokenCountMax: 50)
            }
            let sent = await server.requests.all[0]
            #expect(sent.hasPrefix("POST /v1/chat/completions HTTP/1.1\r\n"))
            #expect(sent.contains("Authorization: Bearer secret"))
            #expect(sent.contains(#""stream":true"#))
            #expect(sent.contains(#""stream_options":{"include_usage":true}"#))
            #expect(sent.contains(#""max_tokens":50"#))
            #expect(sent.contains(#""temperature":0.2"#))
            #expect(sent.contains(#""role":"user""#))
        }
    }

    @Test("is whole without the closing mark, if the model said that it finished")
    func withoutDone() async throws {
        let (events, error) = try await answer(to: [
            .eventStreamHead, .piece("Sì"), .finish("length"),
        ])
        #expect(error == nil)
        #expect(events == [.text("Sì"), .finished(.length, usage: nil)])
    }

    @Test("that is cut before the model finished is broken, after all its text")
    func cut() async throws {
        let (events, error) = try await answer(to: [.eventStreamHead, .piece("Buon")])
        #expect(events == [.text("Buon")])
        #expect(error == .broken)
    }

    @Test("that says it is done without a reason is broken")
    func doneWithoutReason() async throws {
        let (events, error) = try await answer(to: [.eventStreamHead, .piece("a"), .done])
        #expect(events == [.text("a")])
        #expect(error == .broken)
    }

    @Test("that is cut in the middle of a frame is broken")
    func cutFrame() async throws {
        let (events, error) = try await answer(to: [
            .eventStreamHead, .piece("a"), .send(#"data: {"choices":[{"delta":"#),
        ])
        #expect(events == [.text("a")])
        #expect(error == .broken)
    }

    @Test("may hold an error, which ends it")
    func errorInside() async throws {
        let (events, error) = try await answer(to: [
            .eventStreamHead, .piece("a"),
            .send(#"data: {"error":{"message":"overloaded","type":"server_error"}}"# + "\n\n"),
        ])
        #expect(events == [.text("a")])
        #expect(error == .unreachable)
    }

    @Test("with a frame that is no JSON is undecodable")
    func misframed() async throws {
        let (events, error) = try await answer(to: [
            .eventStreamHead, .piece("a"), .send("data: <html>\n\n"),
        ])
        #expect(events == [.text("a")])
        #expect(error == .undecodable)
    }

    @Test("that falls silent times out")
    func stalled() async throws {
        let (events, error) = try await answer(
            to: [.eventStreamHead, .piece("a"), .hang],
            limits: ChatLimits(idle: .seconds(3)))
        #expect(events == [.text("a")])
        #expect(error == .timedOut)
    }

    @Test("that falls silent after its end is whole")
    func silentAfterEnd() async throws {
        let (events, error) = try await answer(
            to: [.eventStreamHead, .piece("a"), .finish(), .hang],
            limits: ChatLimits(idle: .seconds(3)))
        #expect(events == [.text("a"), .finished(.stop, usage: nil)])
        #expect(error == nil)
    }

    @Test("that never comes to an end times out, however lively it is")
    func endless() async throws {
        let drip = Array(
            repeating: [ModelServer.Step.piece("a"), .wait(.milliseconds(20))], count: 400)
        let (events, error) = try await answer(
            to: [.eventStreamHead] + drip.flatMap(\.self),
            limits: ChatLimits(idle: .seconds(5), total: .seconds(3)))
        #expect(!events.isEmpty)
        #expect(error == .timedOut)
    }

    @Test("is cut at our own limit, and says so")
    func flood() async throws {
        let flood = Array(repeating: ModelServer.Step.piece("città "), count: 100)
        let (events, error) = try await answer(
            to: [.eventStreamHead] + flood + [.hang],
            limits: ChatLimits(outputByteCountMax: 12))
        #expect(error == nil)
        #expect(events == [.text("città "), .text("citt"), .finished(.length, usage: nil)])
    }

    @Test("with a line that never ends is refused before it fills the memory")
    func endlessLine() async throws {
        let line = ModelServer.Step.send(String(repeating: "x", count: 100_000))
        let (_, error) = try await answer(
            to: [.eventStreamHead, .send("data: ")] + Array(repeating: line, count: 12) + [.hang])
        #expect(error == .undecodable)
    }

    @Test("that nobody reads any more is closed upstream")
    func abandoned() async throws {
        try await ModelServer.run([.eventStreamHead, .piece("a"), .hang]) { server in
            try await server.withEndpoint { endpoint in
                let reader = Task {
                    try await endpoint.chat(question, model: "m") { stream in
                        for try await event in stream { #expect(event == .text("a")) }
                    }
                }
                // The server is hanging once it has the request; then the reader goes away.
                while await server.requests.all.isEmpty { await Task.yield() }
                reader.cancel()
                for await _ in server.goneClients { break }
                await #expect(throws: (any Error).self) { try await reader.value }
            }
        }
    }

    @Test(
        "is not there when the endpoint refuses",
        arguments: [
            ("429 Too Many Requests", "{}", ModelError.rateLimited(retryAfter: .seconds(3))),
            (
                "429 Too Many Requests", #"{"error":{"code":"insufficient_quota","message":"x"}}"#,
                .refused(status: 429, code: "insufficient_quota")
            ),
            (
                "400 Bad Request",
                #"{"error":{"code":"context_length_exceeded","message":"too many"}}"#, .tooLong
            ),
            (
                "400 Bad Request",
                #"{"error":{"code":400,"type":"exceed_context_size_error","message":"x"}}"#,
                .tooLong
            ),
            ("401 Unauthorized", #"{"error":"bad key"}"#, .refused(status: 401, code: "")),
            ("503 Service Unavailable", "<html>", .unreachable),
        ])
    func refused(status: String, body: String, expected: ModelError) async throws {
        let (events, error) = try await answer(to: [
            .json(body, status: status, headers: "Retry-After: 3\r\n")
        ])
        #expect(events.isEmpty)
        #expect(error == expected)
    }

    @Test("in another form than an event stream is undecodable")
    func otherForm() async throws {
        let (_, error) = try await answer(to: [.json(#"{"choices":[]}"#)])
        #expect(error == .undecodable)
    }
}
