import Database
import Domain

/// Something a message refers to: as it is now, or `{"removed": true}`.
enum Shown<Value: Encodable & Sendable>: Encodable, Sendable {
    case value(Value)
    case removed

    private enum CodingKeys: CodingKey { case removed }

    var shown: Value? {
        if case .value(let value) = self { value } else { nil }
    }

    func encode(to encoder: any Encoder) throws {
        switch self {
        case .value(let value):
            try value.encode(to: encoder)
        case .removed:
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(true, forKey: .removed)
        }
    }
}

/// A message as the API shows it.
struct MessageAnswer: Encodable, Sendable {
    struct Attached: Encodable, Sendable {
        let id: Attachment.ID
        let attachmentID: Attachment.ID
        let filename: String

        private enum CodingKeys: String, CodingKey {
            case id, filename
            case attachmentID = "attachment_id"
        }
    }

    let message: Message
    let sources: [Shown<SourceAnswer>]
    let citations: [Shown<AnswerEvent.Citation>]
    let attachments: [Shown<Attached>]
    let feedback: FeedbackAnswer?

    init(_ message: Message, _ references: MessageReferences) {
        self.message = message
        let chunks = references.sources.map(\.shown)
        var numbered = NumberedSource.named(references.sources).makeIterator()
        sources = chunks.map { chunk in
            guard chunk != nil, let source = numbered.next() else { return .removed }
            return .value(SourceAnswer(source))
        }
        citations = references.citations.map { citation in
            guard chunks.indices.contains(citation.sourceIndex),
                let chunk = chunks[citation.sourceIndex]
            else { return .removed }
            return .value(
                .init(
                    marker: citation.marker, sourceIndex: citation.sourceIndex,
                    sentence: citation.sentence, quote: citation.quote, of: chunk.chunk,
                    verified: citation.isVerified))
        }
        feedback = references.feedback.map(FeedbackAnswer.init)
        attachments = references.attachments.map { named in
            guard let filename = named.filename else { return .removed }
            return .value(
                Attached(id: named.id, attachmentID: named.id, filename: filename))
        }
    }

    private enum CodingKeys: String, CodingKey {
        case id, role, content, status, sources, citations, attachments, feedback
        case conversationID = "conversation_id"
        case createdAt = "created_at"
        case finishReason = "finish_reason"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(message.id, forKey: .id)
        try container.encode(message.conversationID, forKey: .conversationID)
        try container.encode(message.role, forKey: .role)
        try container.encode(message.content, forKey: .content)
        try container.encode(message.createdAt.unixSeconds, forKey: .createdAt)
        try container.encode(message.status, forKey: .status)
        try container.encode(message.finishReason, forKey: .finishReason)
        try container.encode(sources, forKey: .sources)
        try container.encode(citations, forKey: .citations)
        try container.encode(attachments, forKey: .attachments)
        try container.encode(feedback, forKey: .feedback)
    }
}
