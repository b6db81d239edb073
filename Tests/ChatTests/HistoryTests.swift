import Domain
import FoundationEssentials
import ModelEndpoint
import Testing

@testable import Chat

@Suite("History")
struct HistoryTests {
    @Test("is the newest turns, oldest of those first")
    func newest() {
        let choice = History.choice(
            of: Self.turns(["a", "b", "c"]), tainted: [], countMax: 4)
        #expect(choice.messages.map(\.content) == ["b?", "b!", "c?", "c!"])
        #expect(choice.replies.count == 2)
    }

    @Test("stays within its budget of characters")
    func budget() {
        let choice = History.choice(
            of: Self.turns(["aaaa", "b", "c"]), tainted: [], countMax: 20, characterCountMax: 9)
        #expect(choice.messages.map(\.content) == ["b?", "b!", "c?", "c!"])
    }

    @Test("leaves out what drew on something that is gone, with its question")
    func tainted() {
        let turns = Self.turns(["a", "b", "c"])
        let choice = History.choice(of: turns, tainted: [turns[3].id], countMax: 20)
        #expect(choice.messages.map(\.content) == ["a?", "a!", "c?", "c!"])
    }

    @Test("leaves out questions without an answer, and markers of other sources")
    func unanswered() {
        var turns = Self.turns(["a"])
        turns.append(Self.message(.user, "lost?"))
        turns.append(Self.message(.assistant, "", status: .incomplete))
        turns.append(Self.message(.user, "b?"))
        turns.append(Self.message(.assistant, "b [3]!"))
        let choice = History.choice(of: turns, tainted: [], countMax: 20)
        #expect(choice.messages.map(\.content) == ["a?", "a!", "b?", "b!"])
    }

    static func turns(_ names: [String]) -> [Message] {
        names.flatMap { [message(.user, "\($0)?"), message(.assistant, "\($0)!")] }
    }

    static func message(
        _ role: Message.Role, _ content: String, status: Message.Status = .complete
    ) -> Message {
        Message(
            id: Message.ID(), conversationID: Conversation.ID(), role: role, content: content,
            status: status, finishReason: nil, createdAt: Date(timeIntervalSince1970: 0),
            sequence: 1)
    }
}
