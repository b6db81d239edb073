import Domain
import FoundationEssentials
import Postgres
import TestSupport
import Testing

@testable import Chat

@Suite("Summaries of conversations")
struct SummaryTests {
    private func message(_ role: Message.Role, _ content: String, _ sequence: Int) -> Message {
        Message(
            id: Message.ID(), conversationID: Conversation.ID(), role: role, content: content,
            status: .complete, finishReason: nil, createdAt: Date(), sequence: sequence)
    }

    private func turns(_ count: Int, length: Int = 10) -> [Message] {
        (0..<count).flatMap { number in
            let text = String(repeating: "x", count: length)
            return [
                message(.user, "Question \(number) \(text)", number * 2),
                message(.assistant, "Answer \(number)", number * 2 + 1),
            ]
        }
    }

    @Test("are of the older half, as soon as most of the room is taken")
    func half() {
        #expect(History.toSummarise(turns(7), tainted: [], countMax: 20) == nil)
        let taken = History.toSummarise(turns(8), tainted: [], countMax: 20)
        #expect(taken?.map(\.reply.sequence) == [1, 3, 5, 7])
        let long = History.toSummarise(turns(3, length: 4000), tainted: [], countMax: 20)
        #expect(long?.map(\.reply.sequence) == [1])
        #expect(History.toSummarise(turns(50), tainted: [], countMax: 0) == nil)
        let messages = turns(8)
        let without = History.toSummarise(messages, tainted: [messages[1].id], countMax: 20)
        #expect(without == nil)
    }

    @Test("stand in the prompt, are made once, and anew without what is deleted")
    func kept() async throws {
        var answers = AnswerWriter.Settings(model: "scripted")
        answers.historyCountMax = 4
        try await ChatWorld.run(answers: answers) { world in
            try await world.withIndex {
                let upload = try await world.upload("key.md")
                try await world.index(upload, "The barn key is kept behind the clock in the hall.")
                world.model.answer(.says("Behind the clock [1]."))
                let first = try await world.ask("Where is the barn key kept?")
                let conversation = try first.data("meta")["conversation_id"].text
                world.model.answer(.says("Two it is."), .says("They spoke of a key."))
                _ = try await world.ask("How many members does one need?", in: conversation)
                try await world.awaitSummary("They spoke of a key.")
                #expect(world.model.requests.last?.contains("Assistant: Behind the clock") == true)
                #expect(world.model.requests.last?.contains("Two it is") == false)

                world.model.answer(.says("Three."), .says("A key, and two members."))
                _ = try await world.ask("How many meetings does one need?", in: conversation)
                let asked = world.model.requests.last { $0.contains("How many meetings") }
                #expect(asked?.contains("They spoke of a key.") == true)
                try await world.awaitSummary("A key, and two members.")
                #expect(world.model.requests.last?.contains("They spoke of a key.") == true)
                #expect(world.model.requests.last?.contains("Behind the clock") == false)

                try await world.delete(upload)
                let left = try await world.pool.read { session in
                    try session.run("SELECT text FROM conversation_summaries")
                }
                #expect(left.isEmpty)
                world.model.answer(.says("Four."))
                _ = try await world.ask("How many chairs does one need?", in: conversation)
                let after = try #require(world.model.requests.last)
                // What followed the answer about the key may have repeated it.
                for gone in ["A key, and two", "Behind the clock", "Two it is", "Three."] {
                    #expect(!after.contains(gone), "\(gone)")
                }
                world.model.answer(.says("Five."), .says("Four chairs."))
                _ = try await world.ask("How many tables does one need?", in: conversation)
                try await world.awaitSummary("Four chairs.")
                #expect(world.model.requests.last?.contains("clock") == false)
            }
        }
    }
}

extension ChatWorld {
    fileprivate func awaitSummary(_ text: String) async throws {
        try await eventually {
            let rows = try await pool.read { session in
                try session.run("SELECT text FROM conversation_summaries")
            }
            return try rows.first?.get("text", as: String.self) == text
        }
    }
}
