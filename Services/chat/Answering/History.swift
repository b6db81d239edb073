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
