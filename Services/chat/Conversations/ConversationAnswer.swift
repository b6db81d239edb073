import Domain
import FoundationEssentials

extension Date {
    /// As the API writes times.
    var unixSeconds: Int { Int(timeIntervalSince1970.rounded(.down)) }
}

/// A conversation as the API shows it.
struct ConversationAnswer: Encodable, Sendable {
    let conversation: Conversation

    init(_ conversation: Conversation) { self.conversation = conversation }

    private enum CodingKeys: String, CodingKey {
        case id, title
        case conversationID = "conversation_id"
        case createdAt = "created_at"
        case lastMessageAt = "last_message_at"
        case messageCount = "message_count"
        case lastSnippet = "last_snippet"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(conversation.id, forKey: .id)
        try container.encode(conversation.id, forKey: .conversationID)
        try container.encode(conversation.title, forKey: .title)
        try container.encode(conversation.createdAt.unixSeconds, forKey: .createdAt)
        try container.encode(conversation.lastMessageAt.unixSeconds, forKey: .lastMessageAt)
        try container.encode(conversation.messageCount, forKey: .messageCount)
        try container.encode(conversation.lastSnippet, forKey: .lastSnippet)
    }
}
