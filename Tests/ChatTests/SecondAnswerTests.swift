import HTTPTypes
import Testing

@testable import Chat

@Suite("Another answer to the same question")
struct SecondAnswerTests {
    private func contents(of id: String, _ world: ChatWorld) async throws -> [String] {
        let messages = try await world.send(.get, "/conversations/\(id)/messages").json["messages"]
        return (0..<messages.count).map { messages[$0]["content"].text }
    }

    @Test("takes the place of the first one when it is complete, and does not know it")
    func regenerated() async throws {
        try await ChatWorld.run { world in
            world.model.answer(.says("Early."), .says("First try."), .says("Second try."))
            let id = try await world.ask("Hello there, what?").data("meta")["conversation_id"].text
            let first = try await world.ask("What is it?", in: id)
            let again = try await world.send(.post, "/conversations/\(id)/regenerate")
            #expect(again.headers[.contentType] == "text/event-stream; charset=utf-8")
            #expect(try again.answer == "Second try.")
            let message = try again.data("meta")["message_id"].text
            #expect(message != (try first.data("meta")["message_id"].text))
            #expect(
                try await contents(of: id, world) == [
                    "Hello there, what?", "Early.", "What is it?", "Second try.",
                ])
            let request = try #require(world.model.requests.last)
            #expect(request.contains("Early.") && !request.contains("First try."))
            let shown = try await world.send(.get, "/conversations/\(id)").json
            #expect(shown["message_count"] == .integer(4))
            #expect(shown["last_snippet"].text == "Second try.")
        }
    }

    @Test("that fails leaves the first one, and a later one takes both places")
    func failed() async throws {
        try await ChatWorld.run { world in
            world.model.answer(.says("Good."), [.refusal("400 Bad Request")], .says("Better."))
            let id = try await world.ask("What is it?").data("meta")["conversation_id"].text
            let failed = try await world.send(.post, "/conversations/\(id)/regenerate")
            #expect(try failed.data("error")["code"].text == "model_error")
            #expect(try await contents(of: id, world) == ["What is it?", "Good.", ""])
            let message = try failed.data("meta")["message_id"].text
            let retried = try await world.send(.post, "/chat/\(message)/retry")
            #expect(try retried.answer == "Better.")
            #expect(try await contents(of: id, world) == ["What is it?", "Better."])
            let shown = try await world.send(.get, "/conversations/\(id)").json
            #expect(shown["message_count"] == .integer(2))
        }
    }

    @Test("is refused where there is none to be had")
    func refused() async throws {
        try await ChatWorld.run { world in
            world.model.answer(.says("One."), .says("Two."))
            let first = try await world.ask("What is it?")
            let id = try first.data("meta")["conversation_id"].text
            let message = try first.data("meta")["message_id"].text
            let complete = try await world.send(.post, "/chat/\(message)/retry")
            #expect(complete.status == 409)
            #expect(try complete.json["code"].text == "nothing_to_repeat")
            for path in ["/chat/\(message)/retry", "/conversations/\(id)/regenerate"] {
                #expect(try await world.send(.post, path, as: "bob").status == 404)
            }
            let wrong = try await world.send(
                .post, "/conversations/\(id)/regenerate", #"{"sources": ["yours"]}"#)
            #expect(wrong.status == 422)
            #expect(try await contents(of: id, world) == ["What is it?", "One."])
        }
    }
}

@Suite("Feedback and export")
struct FeedbackTests {
    @Test("is kept with a reply, and the second takes the place of the first")
    func feedback() async throws {
        try await ChatWorld.run { world in
            world.model.answer(.says("One."))
            let reply = try await world.ask("What is it?")
            let id = try reply.data("meta")["conversation_id"].text
            let path = "/messages/\(try reply.data("meta")["message_id"].text)/feedback"
            let good = try await world.send(.put, path, #"{"rating": 1}"#)
            #expect(good.status == 200)
            #expect(
                try good.json == .object(["rating": .integer(1), "comment": .null]))
            let bad = try await world.send(
                .put, path, #"{"rating": -1, "comment": "Wrong price."}"#)
            #expect(bad.status == 200)
            let messages = try await world.send(.get, "/conversations/\(id)/messages").json
            #expect(messages["messages"][0]["feedback"] == .null)
            #expect(messages["messages"][1]["feedback"] == (try bad.json))
        }
    }

    @Test("is refused when it is none, or about what is not the member's own reply")
    func refused() async throws {
        try await ChatWorld.run { world in
            world.model.answer(.says("One."))
            let reply = try await world.ask("What is it?")
            let id = try reply.data("meta")["conversation_id"].text
            let path = "/messages/\(try reply.data("meta")["message_id"].text)/feedback"
            let long = String(repeating: "a", count: 2_001)
            for body in [
                #"{"rating": 0}"#, #"{"rating": "1"}"#, #"{}"#,
                #"{"rating": 1, "comment": "\#(long)"}"#,
            ] {
                #expect(try await world.send(.put, path, body).status == 422, "\(body.prefix(30))")
            }
            #expect(try await world.send(.put, path, #"{"rating": 1}"#, as: "bob").status == 404)
            let messages = try await world.send(.get, "/conversations/\(id)/messages").json
            let question = messages["messages"][0]["id"].text
            let about = try await world.send(
                .put, "/messages/\(question)/feedback", #"{"rating": 1}"#)
            #expect(about.status == 404)
            #expect(messages["messages"][1]["feedback"] == .null)
        }
    }

    @Test("a conversation is exported as Markdown and as JSON, to its owner alone")
    func export() async throws {
        try await ChatWorld.run { world in
            world.model.answer(.says("It is *this*."))
            let id = try await world.ask("What is it?").data("meta")["conversation_id"].text
            let path = "/conversations/\(id)/export"
            let markdown = try await world.send(.get, path)
            #expect(markdown.headers[.contentType] == "text/markdown; charset=utf-8")
            #expect(
                markdown.headers[.contentDisposition]
                    == "attachment; filename=\"conversation-\(id).md\"")
            #expect(markdown.text.hasPrefix("# What is it?\n\n## Question\n"))
            #expect(markdown.text.contains("It is *this*."))
            let json = try await world.send(.get, "\(path)?format=json").json
            #expect(json["conversation"]["id"].text == id)
            #expect(json["messages"].count == 2)
            #expect(json["messages"][1]["content"].text == "It is *this*.")
            #expect(try await world.send(.get, "\(path)?format=pdf").status == 422)
            #expect(try await world.send(.get, path, as: "bob").status == 404)
        }
    }
}
