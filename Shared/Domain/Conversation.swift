/// A thread of questions and answers of one member.
package struct Conversation: Sendable {
    package typealias ID = Identifier<Conversation>
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
}
