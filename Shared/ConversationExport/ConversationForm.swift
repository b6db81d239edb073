internal import Domain
internal import FoundationEssentials
package import NIOCore

/// The two ways in which a conversation is exported, by the name's extension.
package enum ConversationForm: String, CaseIterable, Sendable {
    case json
    case markdown = "md"

    private struct Head: Encodable {
        let id: Conversation.ID
        let title: String
        let createdAt: Int

        private enum CodingKeys: String, CodingKey {
            case id, title
            case createdAt = "created_at"
        }
    }

    package var contentType: String {
        switch self {
        case .markdown: "text/markdown; charset=utf-8"
        case .json: "application/json"
        }
    }

    func beginning(of conversation: Conversation) throws -> ByteBuffer {
        switch self {
        case .markdown:
            let title = conversation.title.split(whereSeparator: \.isNewline)
            return ByteBuffer(string: "# \(title.joined(separator: " "))\n\n")
        case .json:
            let head = Head(
                id: conversation.id, title: conversation.title,
                createdAt: Int(conversation.createdAt.timeIntervalSince1970))
            var bytes = try exportedJSON(head, after: #"{"conversation":"#)
            bytes.writeString(#","messages":["#)
            return bytes
        }
    }

    func bytes(of message: ExportedMessage, isFirst: Bool) throws -> ByteBuffer {
        switch self {
        case .markdown: ByteBuffer(string: message.markdown)
        case .json: try exportedJSON(message, after: isFirst ? "\n" : ",\n")
        }
    }

    var end: ByteBuffer {
        switch self {
        case .markdown: ByteBuffer()
        case .json: ByteBuffer(string: "\n]}\n")
        }
    }
}

/// A value as JSON, with what comes before it.
package func exportedJSON(_ value: some Encodable, after text: String) throws -> ByteBuffer {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var bytes = ByteBuffer(string: text)
    bytes.writeBytes(try encoder.encode(value))
    return bytes
}
