import Testing

@testable import ModelEndpoint

@Suite("Frames of a chat stream")
struct ModelFramingTests {
    private static let frames = [
        #"data: {"choices":[{"delta":{"role":"assistant","content":null}}]}"#,
        #"data: {"choices":[{"delta":{"content":"perché "}}]}"#,
        #"data:{"choices":[{"delta":{"content":"no"}}]}"#,
        #"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
        #"data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#,
        "data: [DONE]",
    ]

    private static let whole: [ChatEvent] = [
        .text("perché "), .text("no"),
        .finished(.stop, usage: TokenUsage(promptTokenCount: 3, completionTokenCount: 2)),
    ]

    private func events(of chunks: [[UInt8]]) throws -> [ChatEvent] {
        var reading = Reading(outputByteCountMax: 1000)
        for chunk in chunks { reading.feed(chunk) }
        var events: [ChatEvent] = []
        while let event = reading.nextEvent() { events.append(event) }
        if let failure = reading.failure { throw failure }
        return events
    }

    @Test("may end their lines in any way", arguments: ["\n", "\r\n", "\r"])
    func lineEnds(end: String) throws {
        let text = Self.frames.map { $0 + end + end }.joined()
        #expect(try events(of: [Array(text.utf8)]) == Self.whole)
    }

    @Test("may be split anywhere", arguments: ["\n", "\r\n"])
    func splits(end: String) throws {
        let bytes = Array(Self.frames.map { $0 + end + end }.joined().utf8)
        for at in bytes.indices {
            #expect(try events(of: [Array(bytes[..<at]), Array(bytes[at...])]) == Self.whole)
        }
        #expect(try events(of: bytes.map { [$0] }) == Self.whole)
    }

    @Test("may stand between comments, other fields and a byte order mark")
    func noise() throws {
        let noise = ": keep-alive\n\nevent: message\nid: 7\nretry: 10\n"
        let text = "\u{FEFF}" + Self.frames.map { noise + $0 + "\n\n" }.joined()
        #expect(try events(of: [Array(text.utf8)]) == Self.whole)
    }

    @Test("may have several data lines, which are joined by a line end")
    func severalLines() throws {
        let text = "data: {\"choices\":[{\"delta\":\ndata: {\"content\":\"a\"}}]}\n\n"
        #expect(try events(of: [Array(text.utf8)]) == [.text("a")])
    }

    @Test("of nothing but white space or unknown fields say nothing")
    func empty() throws {
        #expect(try events(of: [Array("\n\n\ndata\n\n".utf8.dropLast(6)), []]) == [])
    }

    @Test("that carry no choice, or a thought, are passed over")
    func passedOver() throws {
        let text = """
            data: {"id":"x"}

            data: {"choices":[{"delta":{"reasoning_content":"hm"}}]}

            data: {"choices":[{"delta":{"content":"a"}}]}


            """
        #expect(try events(of: [Array(text.utf8)]) == [.text("a")])
    }

    @Test("after the end are not read")
    func afterEnd() throws {
        let text = (Self.frames + Self.frames).map { $0 + "\n\n" }.joined()
        #expect(try events(of: [Array(text.utf8)]) == Self.whole)
    }

    @Test("named as errors are errors")
    func namedErrors() throws {
        let text = "error: {\"code\":500,\"message\":\"no slot\",\"type\":\"server_error\"}\n\n"
        #expect(throws: ModelError.unreachable) { try events(of: [Array(text.utf8)]) }
    }
}
