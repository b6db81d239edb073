import Domain
import ModelEndpoint

/// The earlier turns that a model may be shown. Pure.
enum History {
    /// Characters of all turns together: about 3,000 tokens.
    static let characterCountMax = 12_000

    struct Choice: Sendable {
        var messages: [ChatMessage] = []
        /// The replies among them.
        var replies: [Message.ID] = []
    }

    /// The newest pairs of question and reply that fit, oldest of those first.
    ///
    /// A reply that drew on something that is gone is left out with its question, and so is a
    /// question that was never answered: many models insist on roles taking turns.
    static func choice(
        of messages: [Message], tainted: Set<Message.ID>, countMax: Int,
        characterCountMax: Int = characterCountMax
    ) -> Choice {
        var choice = Choice()
        var room = characterCountMax
        for (question, reply) in pairs(in: messages).reversed() {
            if tainted.contains(reply.id) { continue }
            let answer = CitationMarkers.removed(from: reply.content)
            room -= question.content.count + answer.count
            guard room >= 0, choice.messages.count + 2 <= countMax else { break }
            choice.messages.insert(ChatMessage(role: .assistant, content: answer), at: 0)
            choice.messages.insert(ChatMessage(role: .user, content: question.content), at: 0)
            choice.replies.insert(reply.id, at: 0)
        }
        return choice
    }

    /// The older half of the turns after a message, once they take most of what a prompt may hold: none
    /// of them has been left out of a prompt by then. Nil before.
    static func toSummarise(
        _ messages: [Message], tainted: Set<Message.ID>, countMax: Int,
        characterCountMax: Int = characterCountMax
    ) -> [(question: Message, reply: Message)]? {
        let turns = pairs(in: messages).filter { !tainted.contains($0.reply.id) }
        let characterCount = turns.reduce(0) {
            $0 + $1.question.content.count + $1.reply.content.count
        }
        let isFull =
            turns.count * 2 > countMax * 3 / 4 || characterCount > characterCountMax * 3 / 4
        guard countMax > 0, isFull, turns.count > 1 else { return nil }
        // What is more than one prompt of them is for the next time.
        var room = characterCountMax
        let older = turns.prefix(turns.count / 2).prefix { turn in
            room -= turn.question.content.count + turn.reply.content.count
            return room >= 0
        }
        return older.isEmpty ? Array(turns.prefix(1)) : Array(older)
    }

    private static func pairs(
        in messages: [Message]
    ) -> [(question: Message, reply: Message)] {
        var pairs: [(Message, Message)] = []
        var question: Message?
        for message in messages {
            switch message.role {
            case .user:
                question = message
            case .assistant:
                let isUsable = message.status != .generating && !message.content.isEmpty
                if let asked = question, isUsable, !asked.content.isEmpty {
                    pairs.append((asked, message))
                }
                question = nil
            }
        }
        return pairs
    }
}
