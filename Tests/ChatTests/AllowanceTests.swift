import Domain
import HTTPTypes
import Postgres
import TestSupport
import Testing

@testable import Chat

@Suite("How much of the model a member may have")
struct AllowanceTests {
    @Test("answers at a time are bounded, for each member, on all replicas together")
    func running() async throws {
        let allowance = AnswerAllowance(runningCountMax: 2)
        try await ChatWorld.run(allowance: allowance) { world in
            let release = Signal()
            let held = Signal()
            world.model.answer([
                .head, .piece("One."), .pause(reached: held, goOn: release), .finish(), .done,
            ])
            try await withThrowingTaskGroup(of: Reply.self) { group in
                for number in 1...2 {
                    group.addTask { try await world.ask("Question number \(number)?") }
                }
                try await eventually { world.model.requests.count == 2 }
                let refused = try await world.ask("Question number 3?")
                #expect(refused.status == 429)
                #expect(try refused.json["code"].text == "too_many_answers")
                #expect(refused.headers[.retryAfter] == "5")
                let rows = try await world.pool.read { try $0.run("SELECT id FROM conversations") }
                #expect(rows.count == 2)
                // Another member's are another's.
                group.addTask { try await world.ask("Question number 4?", as: "bob") }
                try await eventually { world.model.requests.count == 3 }
                release.fire()
                for try await reply in group { #expect(try reply.answer == "One.") }
            }
            #expect(try await world.ask("Question number 5?").status == 200)
        }
    }

    @Test("tokens of a day are bounded, also of conversations that are gone")
    func daily() async throws {
        let allowance = AnswerAllowance(dailyTokenCountMax: 1)
        try await ChatWorld.run(allowance: allowance) { world in
            world.model.answer(.says("One."))
            let first = try await world.ask("What is it?")
            #expect(first.status == 200)
            let id = try first.data("meta")["conversation_id"].text
            #expect(try await world.send(.delete, "/conversations/\(id)").status == 200)
            let refused = try await world.ask("And now?")
            #expect(refused.status == 429)
            #expect(try refused.json["code"].text == "daily_limit_reached")
            let seconds = refused.headers[.retryAfter].flatMap { Int($0) } ?? 0
            #expect((1...86_400).contains(seconds))
            #expect(try await world.ask("And now?", as: "bob").status == 200)
            // Tomorrow is another day.
            try await world.pool.read { try $0.run("UPDATE token_usage SET day = day - 1") }
            #expect(try await world.ask("And now?").status == 200)
        }
    }

    @Test("questions are counted by day; a conversation that goes takes none with it")
    func questions() async throws {
        try await ChatWorld.run { world in
            for _ in 0..<3 {
                world.model.answer(.says("One."))
                let answer = try await world.ask("What is it?")
                let id = try answer.data("meta")["conversation_id"].text
                #expect(try await world.send(.delete, "/conversations/\(id)").status == 200)
            }
            let counts = try await world.pool.read {
                try $0.run("SELECT question_count FROM token_usage").map {
                    try $0.get("question_count", as: Int.self)
                }
            }
            #expect(counts == [3])
        }
    }

    @Test("an answer whose tokens nobody counted is counted about")
    func uncounted() async throws {
        try await ChatWorld.run { world in
            world.model.answer([.head, .piece("Twelve chars"), .finish(), .done])
            _ = try await world.ask("What is it?")
            let row = try await world.pool.read {
                try $0.run("SELECT prompt_token_count, completion_token_count FROM token_usage")
            }.first
            #expect(try row?.get("completion_token_count", as: Int.self) == 3)
            #expect(try row?.get("prompt_token_count", as: Int.self) ?? 0 > 50)
        }
    }
}

@Suite("Titles")
struct TitleTests {
    @Test("come from the model once the first answer is there, and from nobody's later")
    func made() async throws {
        try await ChatWorld.run(makesTitles: true) { world in
            world.model.answer(
                .says("It costs 25 euros."), .says("\\\"Entry fee", " of members\\\".\\n"),
                .says("More."))
            let asked = try await world.ask("How much do I have to pay to come in?")
            let id = try asked.data("meta")["conversation_id"].text
            func title() async throws -> String {
                try await world.send(.get, "/conversations/\(id)").json["title"].text
            }
            try await eventually { try await title() == "Entry fee of members" }
            let request = try #require(world.model.requests.last)
            #expect(request.contains("It costs 25 euros.") && request.contains("to come in?"))
            _ = try await world.ask("And then what?", in: id)
            #expect(world.model.requests.count == 3)
            #expect(try await title() == "Entry fee of members")
        }
    }

    @Test("stay the beginning of the question when the model makes none")
    func fallback() async throws {
        try await ChatWorld.run(makesTitles: true) { world in
            world.model.answer(.says("One."), [.refusal("400 Bad Request")])
            let id = try await world.ask("What is it?").data("meta")["conversation_id"].text
            try await eventually { world.model.requests.count == 2 }
            #expect(
                try await world.send(.get, "/conversations/\(id)").json["title"].text
                    == "What is it?")
        }
    }

    @Test(
        "are one line without decoration, or none",
        arguments: [
            ("Quota di ingresso", "Quota di ingresso"), ("\n# **Title here.**\nmore", "Title here"),
            ("\"Solo   due\tparole\"", "Solo due parole"), ("", nil), ("...", nil), ("12", nil),
            ("See [this](https://evil.example)", "See this"),
            (String(repeating: "long ", count: 40), nil),
        ])
    func cleaned(_ text: String, _ expected: String?) {
        #expect(TitleMaker.title(in: text) == expected)
    }
}
