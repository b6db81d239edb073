import Domain
import HTTPTypes
import TestSupport
import Testing

@testable import Chat

@Suite("Sources")
struct SourceTests {
    static let battery = "The community battery stores 480 kWh. It stands beside the sports hall."

    @Test("are exactly what the prompt holds, are cited, and read back the same")
    func cited() async throws {
        try await ChatWorld.run { world in
            try await world.withIndex {
                let id = try await world.upload("battery.md")
                try await world.index(id, Self.battery)
                world.model.answer(.says("It stores 480 kWh [", "1]. Or 500 kWh [1]. Gone [4]."))
                let reply = try await world.ask("How much does the community battery store?")
                let sources = try reply.data("sources")
                #expect(sources.count == 1)
                #expect(sources[0]["source"].text == "battery.md")
                #expect(sources[0]["text"].text == Self.battery)
                #expect(sources[0]["metadata"]["attachment_id"].text == id.description)
                #expect(world.model.requests.last?.contains("480 kWh. It stands") == true)
                let citations = try reply.events.filter { $0.type == "citation" }.map(\.data)
                #expect(citations.map { $0["marker"].text } == ["[1]", "[1]"])
                #expect(citations[0]["quote"].text == "The community battery stores 480 kWh.")
                #expect(citations.map { $0["verified"] } == [.bool(true), .bool(false)])
                #expect(try reply.answer == "It stores 480 kWh [1]. Or 500 kWh [1]. Gone.")
                let conversation = try reply.data("meta")["conversation_id"].text
                let kept = try await world.send(
                    .get, "/conversations/\(conversation)/messages"
                ).json["messages"][1]
                #expect(kept["sources"] == sources)
                #expect(kept["citations"] == .array(citations))
                let chunk = sources[0]["metadata"]["chunk_id"].text
                let around = try await world.send(.get, "/sources/\(chunk)")
                #expect(try around.json["text"].text == Self.battery)
                #expect(try await world.send(.get, "/sources/\(chunk)", as: "bob").status == 404)
                let search = #"{"query": "How much does the community battery store?"}"#
                let found = try await world.send(.post, "/search", search)
                #expect(try found.json["results"].count == 1)
                let theirs = try await world.send(.post, "/search", search, as: "bob")
                #expect(try theirs.json["results"].count == 0)
            }
        }
    }

    @Test("that are deleted answer nothing again, in the same conversation neither")
    func deleted() async throws {
        try await ChatWorld.run { world in
            try await world.withIndex {
                let id = try await world.upload("battery.md")
                try await world.index(id, Self.battery)
                world.model.answer(
                    .says("It stores 480 kWh [1]."), .says("As I said, 480 kWh."), .says("No idea.")
                )
                let asked = "How much does the community battery store?"
                let reply = try await world.ask(
                    asked, #", "attachment_ids": ["\#(id)"]"#)
                let conversation = try reply.data("meta")["conversation_id"].text
                // This one draws on the first answer, whether it has sources of its own or not.
                _ = try await world.ask("Thanks", in: conversation)
                try await world.delete(id)
                let again = try await world.ask(asked, in: conversation)
                #expect(try again.data("sources") == .array([]))
                #expect(world.model.requests.last?.contains("480") == false)
                let messages = try await world.send(
                    .get, "/conversations/\(conversation)/messages"
                ).json["messages"]
                let removed = JSONValue.object(["removed": .bool(true)])
                #expect(messages[0]["attachments"] == .array([removed]))
                #expect(messages[1]["sources"] == .array([removed]))
                #expect(messages[1]["citations"] == .array([removed]))
            }
        }
    }

    @Test("are neither shown nor cited when no citations are wanted")
    func unwanted() async throws {
        try await ChatWorld.run { world in
            try await world.withIndex {
                let id = try await world.upload("battery.md")
                try await world.index(id, Self.battery)
                world.model.answer(.says("It stores 480 kWh [1]."))
                let reply = try await world.ask(
                    "How much does the community battery store?", #", "include_citations": false"#)
                #expect(try reply.answer == "It stores 480 kWh.")
                let types = try reply.events.map(\.type)
                #expect(!types.contains("sources") && !types.contains("citation"))
                #expect(world.model.requests.last?.contains("480 kWh") == true)
            }
        }
    }

    @Test("of files still being indexed are waited for")
    func waited() async throws {
        try await ChatWorld.run { world in
            try await world.withIndex {
                let id = try await world.upload("battery.md")
                world.model.answer(.says("480 kWh [1]."))
                async let asked = world.ask("", #", "attachment_ids": ["\#(id)"]"#)
                try await eventually {
                    try await world.send(.get, "/conversations").json["total"] == .integer(1)
                }
                try await world.index(id, Self.battery)
                let reply = try await asked
                #expect(try reply.data("status")["stage"].text == "waiting_for_attachments")
                #expect(try reply.data("sources")[0]["text"].text == Self.battery)
                #expect(try reply.data("meta")["title"].text == "battery.md")
            }
        }
    }

    @Test("of files that are not ready in time are said to be missing")
    func notReady() async throws {
        try await ChatWorld.run(turnWait: .milliseconds(50)) { world in
            let id = try await world.upload("battery.md")
            world.model.answer(.says("I cannot say."))
            let reply = try await world.ask(
                "What is in the file?", #", "attachment_ids": ["\#(id)"]"#)
            let statuses = try reply.events.filter { $0.type == "status" }.map(\.data)
            #expect(statuses[1]["not_ready"][0]["attachment_id"].text == id.description)
            #expect(world.model.requests.last?.contains("battery.md: still being read") == true)
            let foreign = try await world.ask(
                "What is in the file?", as: "bob", #", "attachment_ids": ["\#(id)"]"#)
            #expect(foreign.status == 404)
            #expect(try foreign.json["code"].text == "attachment_not_found")
        }
    }
}
