import Database
import Domain
import HTTPTypes
import Postgres
import TestSupport
import Testing

@testable import Chat

@Suite("Conversations")
struct ConversationTests {
    @Test("are listed most recent first, paged, counted and searched")
    func listing() async throws {
        try await ChatWorld.run { world in
            world.model.answer(.says("About apples 100%."), .says("About pears."))
            let first = try await world.ask("What about the first thing?")
            let second = try await world.ask("What about the second thing?")
            let list = try await world.send(.get, "/conversations").json
            #expect(list["total"] == .integer(2))
            #expect(list["limit"] == .integer(50))
            #expect(try list["items"][0]["id"] == second.data("meta")["conversation_id"])
            #expect(list["items"][0]["last_snippet"].text == "About pears.")
            #expect(list["items"][0]["message_count"] == .integer(2))
            #expect(list["items"][0]["title"].text == "What about the second thing?")
            let page = try await world.send(.get, "/conversations?limit=1").json
            let next = page["next_cursor"].text
            let rest = try await world.send(.get, "/conversations?limit=1&cursor=\(next)").json
            #expect(try rest["items"][0]["id"] == first.data("meta")["conversation_id"])
            #expect(rest["next_cursor"] == .null)
            let found = try await world.send(.get, "/conversations?q=APPLES%20100%25").json
            #expect(found["total"] == .integer(1))
            #expect(try await world.send(.get, "/conversations?limit=x").status == 422)
            #expect(try await world.send(.get, "/conversations?cursor=x").status == 422)
            let clamped = try await world.send(.get, "/conversations?limit=999&offset=-4").json
            #expect(clamped["limit"] == .integer(200) && clamped["offset"] == .integer(0))
        }
    }

    @Test("are renamed and deleted, messages included")
    func changing() async throws {
        try await ChatWorld.run { world in
            world.model.answer(.says("One."))
            let id = try await world.ask("What is it?").data("meta")["conversation_id"].text
            let renamed = try await world.send(
                .patch, "/conversations/\(id)", #"{"title": " New  name "}"#)
            #expect(try renamed.json["title"].text == "New name")
            let empty = try await world.send(.patch, "/conversations/\(id)", #"{"title": " "}"#)
            #expect(empty.status == 422)
            let deleted = try await world.send(.delete, "/conversations/\(id)")
            #expect(
                try deleted.json
                    == .object(["status": .string("deleted"), "conversation_id": .string(id)]))
            #expect(try await world.send(.get, "/conversations/\(id)").status == 404)
            let rows = try await world.pool.read { try $0.run("SELECT id FROM messages") }
            #expect(rows.isEmpty)
            let audit = try await world.pool.read {
                try AuditStore($0).list(.init(), before: nil, limit: 10)
            }
            #expect(audit.map(\.action) == ["conversation.deleted"])
            #expect(audit.first?.subject == id)
            #expect(audit.first?.author.actor == "alice")
        }
    }

    @Test("of another member are answered exactly like unknown ones")
    func foreign() async throws {
        try await ChatWorld.run { world in
            world.model.answer(.says("One."))
            let reply = try await world.ask("What is it?")
            let id = try reply.data("meta")["conversation_id"].text
            let message = try reply.data("meta")["message_id"].text
            let unknown = "00000000-0000-4000-8000-000000000000"
            for (method, path) in [
                (HTTPRequest.Method.get, "/conversations/ID"),
                (.get, "/conversations/ID/messages"), (.delete, "/conversations/ID"),
            ] {
                let theirs = try await world.send(
                    method, path.replacing("ID", with: id), as: "bob")
                let nobodys = try await world.send(
                    method, path.replacing("ID", with: unknown), as: "bob")
                #expect(theirs.status == 404)
                #expect(Self.comparable(theirs) == Self.comparable(nobodys))
            }
            let asked = try await world.ask("And now?", in: id, as: "bob")
            #expect(asked.status == 404)
            #expect(try asked.json["code"].text == "conversation_not_found")
            #expect(try await world.send(.post, "/chat/\(message)/cancel", as: "bob").status == 404)
            #expect(
                try await world.send(.get, "/conversations", as: "bob").json["total"] == .integer(0)
            )
            #expect(try await world.send(.get, "/conversations/nonsense").status == 404)
        }
    }

    @Test("page their messages back from the newest")
    func messages() async throws {
        try await ChatWorld.run { world in
            world.model.answer(.says("One."), .says("Two."))
            let first = try await world.ask("What is it?")
            let id = try first.data("meta")["conversation_id"].text
            _ = try await world.ask("And what else is it?", in: id)
            let newest = try await world.send(.get, "/conversations/\(id)/messages?limit=1").json
            #expect(newest["messages"].count == 1)
            #expect(newest["messages"][0]["content"].text == "Two.")
            let before = newest["next_cursor"].text
            let older = try await world.send(
                .get, "/conversations/\(id)/messages?limit=2&before=\(before)"
            ).json
            #expect(older["messages"][0]["content"].text == "One.")
            #expect(older["messages"][1]["content"].text == "And what else is it?")
        }
    }

    @Test("that are deleted stop the answer being written in them")
    func deletedWhileAnswering() async throws {
        try await ChatWorld.run { world in
            let (reached, goOn, gone) = (Signal(), Signal(), Signal())
            world.model.answer([
                .head, .piece("Half."), .pause(reached: reached, goOn: goOn), .hang(gone: gone),
            ])
            async let asked = world.ask("What is it?")
            try await reached.wait()
            goOn.fire()
            let list = try await world.send(.get, "/conversations").json
            let id = list["items"][0]["id"].text
            #expect(try await world.send(.delete, "/conversations/\(id)").status == 200)
            try await gone.wait()
            #expect(try await asked.data("error")["code"].text == "not_saved")
        }
    }

    @Test("offer questions to begin with in the member's language")
    func suggestions() async throws {
        try await ChatWorld.run { world in
            let italian = try await world.send(.get, "/suggestions?lang=it").json
            #expect(italian["suggestions"][0]["text"].text.contains("comunità"))
            let accepted = try await world.send(
                .get, "/suggestions", headers: [.acceptLanguage: "fr;q=1, es-ES"]
            ).json
            #expect(accepted["suggestions"][0]["text"].text.contains("comunidad"))
            #expect(accepted["tool_labels"] == .object([:]))
        }
    }

    private static func comparable(_ reply: Reply) -> String {
        // The request's id alone differs.
        var members: [String: JSONValue] = [:]
        if case .object(let found) = (try? reply.json) ?? .null { members = found }
        members["request_id"] = nil
        return "\(reply.status) \(members.map { "\($0)" }.sorted())"
    }
}
