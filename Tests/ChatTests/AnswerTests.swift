import Domain
import HTTPTypes
import Postgres
import TestSupport
import Testing

@testable import Chat

@Suite("Answers")
struct AnswerTests {
    @Test("come as the events of the contract, in order, and end with the sentinel")
    func events() async throws {
        try await ChatWorld.run { world in
            world.model.answer(.says("Hel", "lo."))
            let reply = try await world.ask("How are you today, all of you?")
            #expect(reply.status == 200)
            #expect(reply.headers[.contentType]?.hasPrefix("text/event-stream") == true)
            #expect(reply.headers[.cacheControl] == "no-cache, no-transform")
            let events = try reply.events
            #expect(
                events.map(\.type) == [
                    "meta", "status", "sources", "status", "token", "token", "done",
                ])
            #expect(events.map(\.id) == (1...7).map { "id: \($0)" })
            #expect(try reply.answer == "Hello.")
            #expect(try reply.data("done")["finish_reason"].text == "stop")
            #expect(try reply.data("done")["usage"]["prompt_tokens"] == .integer(7))
            #expect(reply.text.hasSuffix("}\n\ndata: [DONE]\n\r\n"))
            #expect(!reply.text.contains("event:"))
        }
    }

    @Test("are kept before done is sent, with the question before them")
    func kept() async throws {
        try await ChatWorld.run { world in
            world.model.answer(.says("Hello."))
            let reply = try await world.ask("How are you today?")
            let conversation = try reply.data("meta")["conversation_id"].text
            let messages = try await world.send(
                .get, "/conversations/\(conversation)/messages"
            ).json["messages"]
            #expect(messages.count == 2)
            #expect(messages[0]["role"].text == "user")
            #expect(messages[0]["content"].text == "How are you today?")
            #expect(try messages[1]["id"] == reply.data("meta")["message_id"])
            #expect(messages[1]["content"].text == "Hello.")
            #expect(messages[1]["status"].text == "complete")
            #expect(messages[1]["finish_reason"].text == "stop")
        }
    }

    @Test("are written at the same time, more than other calls share connections")
    func sideBySide() async throws {
        try await ChatWorld.run { world in
            let reached = Signal()
            let goOn = Signal()
            world.model.answer([
                .head, .piece("One."), .pause(reached: reached, goOn: goOn), .finish(), .done,
            ])
            let countMax = 40
            try await withThrowingTaskGroup(of: String.self) { group in
                for number in 0..<countMax {
                    group.addTask {
                        try await world.ask("How are you today?", as: "user-\(number)").answer
                    }
                }
                try await eventually(within: .seconds(60)) {
                    world.model.requests.count == countMax
                }
                goOn.fire()
                for try await answer in group { #expect(answer == "One.") }
            }
        }
    }

    @Test("see the newest turns of their conversation")
    func history() async throws {
        try await ChatWorld.run { world in
            world.model.answer(.says("First answer."), .says("Second answer."))
            let first = try await world.ask("What is the first thing?")
            let conversation = try first.data("meta")["conversation_id"].text
            let second = try await world.ask("What is the second thing?", in: conversation)
            #expect(try second.data("meta")["conversation_id"].text == conversation)
            let request = try #require(world.model.requests.last)
            #expect(request.contains("What is the first thing?"))
            #expect(request.contains("First answer."))
        }
    }

    struct Failing: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let steps: [ScriptedModel.Step]
        let code: String
        var text = ""
    }

    @Test(
        "say what is wrong with the model, keep what there is and end in order",
        arguments: [
            Failing(
                testDescription: "refuses", steps: [.refusal("400 Bad Request")],
                code: "model_error"),
            Failing(
                testDescription: "is busy", steps: [.refusal("429 Too Many Requests")],
                code: "model_rate_limited"),
            Failing(
                testDescription: "is broken", steps: [.refusal("500 Internal Server Error")],
                code: "model_unreachable"),
            Failing(testDescription: "closes at once", steps: [], code: "model_cut"),
            Failing(
                testDescription: "is cut in the middle", steps: [.head, .piece("Half an ")],
                code: "model_cut", text: "Half an"),
            Failing(
                testDescription: "sends what is no JSON",
                steps: [.head, .piece("Half."), .send("data: {nonsense\n\n")], code: "model_error",
                text: "Half."),
            Failing(
                testDescription: "says nothing", steps: [.head, .finish(), .done],
                code: "model_error"),
            Failing(
                testDescription: "filters",
                steps: [.head, .piece("No."), .finish("content_filter")],
                code: "model_refused", text: "No."),
        ])
    func failing(_ failing: Failing) async throws {
        try await ChatWorld.run { world in
            world.model.answer(failing.steps)
            let reply = try await world.ask("What does joining cost?")
            let events = try reply.events
            #expect(events.suffix(2).map(\.type) == ["error", "done"])
            #expect(try reply.data("error")["code"].text == failing.code)
            #expect(try reply.data("done")["finish_reason"].text == "error")
            #expect(reply.text.hasSuffix("data: [DONE]\n\r\n"))
            let conversation = try reply.data("meta")["conversation_id"].text
            let messages = try await world.send(
                .get, "/conversations/\(conversation)/messages"
            ).json["messages"]
            #expect(messages[1]["status"].text == "incomplete")
            #expect(messages[1]["content"].text == failing.text)
        }
    }

    @Test("are kept when the model writes what Postgres cannot keep, or cites without end")
    func strange() async throws {
        try await ChatWorld.run { world in
            world.model.answer(.says("A\\u0000B"))
            let reply = try await world.ask("What does joining cost?")
            #expect(try reply.answer == "A\u{FFFD}B")
            #expect(try reply.data("done")["finish_reason"].text == "stop")
            try await world.withIndex {
                let upload = try await world.upload("key.md")
                try await world.index(upload, "The barn key is kept behind the clock.")
                let markers = String(repeating: "[1]", count: 300)
                world.model.answer(.says("Behind the clock \(markers). ", "Really [1]."))
                let cited = try await world.ask("Where is the barn key kept?")
                #expect(try cited.events.count { $0.type == "citation" } == 2)
            }
        }
    }

    @Test("end by a deadline when the model falls silent")
    func silent() async throws {
        try await ChatWorld.run(modelIdle: .seconds(1)) { world in
            let gone = Signal()
            world.model.answer([.head, .piece("Half."), .hang(gone: gone)])
            let reply = try await world.ask("What does joining cost?")
            #expect(try reply.data("error")["code"].text == "model_timed_out")
            try await gone.wait()
        }
    }

    @Test("say so when the model's output was cut by its limit")
    func length() async throws {
        try await ChatWorld.run { world in
            world.model.answer([.head, .piece("And so on."), .finish("length"), .done])
            let reply = try await world.ask("What does joining cost?")
            #expect(try reply.data("done")["finish_reason"].text == "length")
            #expect(try reply.events.contains { $0.type == "error" } == false)
        }
    }

    @Test("stop when they are cancelled on another replica, and the model with them")
    func cancelled() async throws {
        try await ChatWorld.run { world in
            let (reached, goOn, gone) = (Signal(), Signal(), Signal())
            world.model.answer([
                .head, .piece("Half."), .pause(reached: reached, goOn: goOn), .hang(gone: gone),
            ])
            async let asked = world.ask("What does joining cost?")
            try await reached.wait()
            goOn.fire()
            let id = try await Self.generating(world)
            try await world.withAnotherReplica { other in
                let answer = try await other.send(.post, "/chat/\(id)/cancel")
                #expect(answer.status == 200)
                #expect(try answer.json["status"].text == "cancelled")
                #expect(try await other.send(.post, "/chat/\(id)/cancel", as: "bob").status == 404)
            }
            let reply = try await asked
            try await gone.wait()
            #expect(try reply.data("done")["finish_reason"].text == "cancelled")
            #expect(
                try await world.send(.post, "/chat/\(id)/cancel").json["status"].text == "cancelled"
            )
        }
    }

    @Test("wait their turn in a conversation; one waits, a further one is refused")
    func turns() async throws {
        try await ChatWorld.run { world in
            world.model.answer(.says("Zero."))
            let zero = try await world.ask("What is thing number zero?")
            let conversation = try zero.data("meta")["conversation_id"].text
            let (reached, goOn) = (Signal(), Signal())
            world.model.answer(
                [.head, .piece("One."), .pause(reached: reached, goOn: goOn), .finish(), .done],
                .says("Two."))
            async let first = world.ask("What is thing number one?", in: conversation)
            try await reached.wait()
            async let second = world.ask("What is thing number two?", in: conversation)
            try await eventually {
                try await world.send(
                    .get, "/conversations/\(conversation)/messages"
                ).json["messages"].count == 6
            }
            let third = try await world.ask("What is thing number three?", in: conversation)
            #expect(third.status == 409)
            #expect(try third.json["code"].text == "conversation_busy")
            goOn.fire()
            #expect(try await first.answer == "One.")
            let waited = try await second
            #expect(try waited.answer == "Two.")
            #expect(try waited.data("status")["stage"].text == "waiting_for_turn")
            #expect(world.model.requests.last?.contains("What is thing number one?") == true)
        }
    }

    @Test("give up waiting for their turn after a while, and say so")
    func busy() async throws {
        try await ChatWorld.run(turnWait: .milliseconds(50)) { world in
            world.model.answer(.says("Zero."))
            let zero = try await world.ask("What is thing number zero?")
            let conversation = try zero.data("meta")["conversation_id"].text
            let (reached, goOn) = (Signal(), Signal())
            world.model.answer([
                .head, .piece("One."), .pause(reached: reached, goOn: goOn), .finish(), .done,
            ])
            async let first = world.ask("What is thing number one?", in: conversation)
            try await reached.wait()
            let second = try await world.ask("What is thing number two?", in: conversation)
            #expect(try second.data("error")["code"].text == "conversation_busy")
            goOn.fire()
            _ = try await first
        }
    }

    @Test("of a replica that died read as incomplete and do not block their conversation")
    func abandoned() async throws {
        try await ChatWorld.run { world in
            world.model.answer(.says("One."))
            let reply = try await world.ask("What is thing number one?")
            let conversation = try reply.data("meta")["conversation_id"].text
            _ = try await world.pool.read { session in
                try session.run(
                    """
                    UPDATE messages SET status = 'generating', finish_reason = NULL,
                        lease_expires_at = now() - interval '1 second'
                    WHERE role = 'assistant'
                    """)
            }
            let messages = try await world.send(
                .get, "/conversations/\(conversation)/messages"
            ).json["messages"]
            #expect(messages[1]["status"].text == "incomplete")
            let next = try await world.ask("What is thing number two?", in: conversation)
            #expect(try next.answer == "One.")
        }
    }

    @Test("to a repeated request are the first one's")
    func repeated() async throws {
        try await ChatWorld.run { world in
            world.model.answer(.says("One."), .says("Two."))
            let name = try #require(HTTPField.Name("Idempotency-Key"))
            let first = try await world.ask("What is it?", headers: [name: "k"])
            let again = try await world.ask("What is it?", headers: [name: "k"])
            #expect(try again.answer == "One.")
            #expect(try again.data("meta") == first.data("meta"))
            #expect(try again.data("done")["finish_reason"].text == "stop")
            #expect(world.model.requests.count == 1)
            let other = try await world.ask("What else is it?", headers: [name: "k"])
            #expect(other.status == 422)
        }
    }

    private static func generating(_ world: ChatWorld) async throws -> Message.ID {
        let rows = try await world.pool.read { session in
            try session.run("SELECT id FROM messages WHERE status = 'generating'")
        }
        return try #require(rows.first).get("id")
    }
}
