package import FoundationEssentials

/// A thread of questions and answers of one member.
package struct Conversation: Sendable {
    package typealias ID = Identifier<Conversation>

    package let id: ID
    package let title: String
    package let createdAt: Date
    package let lastMessageAt: Date
    package let messageCount: Int
    /// The sequence of its newest message: the order of the listing.
    package let lastSequence: Int
    /// The beginning of the newest message that has any text.
    package let lastSnippet: String?

    package init(
        id: ID, title: String, createdAt: Date, lastMessageAt: Date, messageCount: Int,
        lastSequence: Int, lastSnippet: String?
    ) {
        self.id = id
        self.title = title
        self.createdAt = createdAt
        self.lastMessageAt = lastMessageAt
        self.messageCount = messageCount
        self.lastSequence = lastSequence
        self.lastSnippet = lastSnippet
    }
}

/// One turn of a conversation.
package struct Message: Sendable {
    package typealias ID = Identifier<Message>

    package enum Role: String, Sendable, Codable {
        case user
        case assistant
    }

    package enum Status: String, Sendable, Codable {
        case generating
        case complete
        /// Something failed; what was made so far is kept.
        case incomplete
        case cancelled
    }

    package enum FinishReason: String, Sendable, Codable {
        case stop
        case length
        case cancelled
        case error
    }

    package let id: ID
    package let conversationID: Conversation.ID
    package let role: Role
    package let content: String
    package let status: Status
    package let finishReason: FinishReason?
    package let createdAt: Date
    /// Order of arrival; times are not ordered.
    package let sequence: Int

    package init(
        id: ID, conversationID: Conversation.ID, role: Role, content: String, status: Status,
        finishReason: FinishReason?, createdAt: Date, sequence: Int
    ) {
        self.id = id
        self.conversationID = conversationID
        self.role = role
        self.content = content
        self.status = status
        self.finishReason = finishReason
        self.createdAt = createdAt
        self.sequence = sequence
    }
}

/// What a member thinks of a reply.
package struct MessageFeedback: Sendable, Hashable {
    package enum Rating: Int, Sendable {
        case good = 1
        case bad = -1
    }

    package let rating: Rating
    package let comment: String?

    package init(rating: Rating, comment: String?) {
        self.rating = rating
        self.comment = comment
    }
}
