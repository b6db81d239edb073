internal import Database
internal import Domain
internal import FoundationEssentials

/// A message as its owner takes it away: what was said, and what it drew on as far as that may still
/// be shown.
struct ExportedMessage: Encodable, Sendable {
    struct Source: Encodable, Sendable {
        let title: String
        let kind: Document.Kind
        let attachmentID: Attachment.ID?
        let path: String?
        let url: String?
        let page: Int?
        let text: String

        private enum CodingKeys: String, CodingKey {
            case title, kind, path, url, page, text
            case attachmentID = "attachment_id"
        }

        init(_ shown: ShownChunk) {
            title = shown.title
            kind = shown.kind
            attachmentID =
                shown.kind == .upload ? Attachment.ID(rawValue: shown.documentID.rawValue) : nil
            path = shown.path
            url = shown.url
            page = shown.chunk.page
            text = shown.chunk.text
        }
    }

    let message: Message
    /// In the order of their numbers; nil is one that is gone.
    let sources: [Source?]
    let attachments: [MessageReferences.NamedAttachment]
    let feedback: MessageFeedback?

    init(_ message: Message, _ references: MessageReferences) {
        self.message = message
        sources = references.sources.map { $0.shown.map(Source.init) }
        attachments = references.attachments
        feedback = references.feedback
    }

    private enum CodingKeys: String, CodingKey {
        case id, role, content, status, sources, attachments, feedback
        case createdAt = "created_at"
        case finishReason = "finish_reason"
    }

    private struct Removed: Encodable { let removed = true }

    private struct Feedback: Encodable {
        let rating: Int
        let comment: String?

        init(_ feedback: MessageFeedback) {
            rating = feedback.rating.rawValue
            comment = feedback.comment
        }
    }

    private struct Named: Encodable {
        let id: Attachment.ID
        let filename: String
    }

    func encode(to encoder: any Encoder) throws {
        var body = encoder.container(keyedBy: CodingKeys.self)
        try body.encode(message.id, forKey: .id)
        try body.encode(message.role, forKey: .role)
        try body.encode(message.content, forKey: .content)
        try body.encode(message.status, forKey: .status)
        try body.encode(message.finishReason, forKey: .finishReason)
        try body.encode(feedback.map(Feedback.init), forKey: .feedback)
        try body.encode(Int(message.createdAt.timeIntervalSince1970), forKey: .createdAt)
        var list = body.nestedUnkeyedContainer(forKey: .sources)
        for source in sources {
            if let source { try list.encode(source) } else { try list.encode(Removed()) }
        }
        var files = body.nestedUnkeyedContainer(forKey: .attachments)
        for file in attachments {
            if let filename = file.filename {
                try files.encode(Named(id: file.id, filename: filename))
            } else {
                try files.encode(Removed())
            }
        }
    }

    /// As a section of Markdown. What was said is Markdown itself and stands as it is.
    var markdown: String {
        var lines = ["## \(message.role == .user ? "Question" : "Answer")", ""]
        lines += ["*\(message.createdAt.formatted(.iso8601))*", "", message.content, ""]
        if message.status == .incomplete { lines += ["*(incomplete)*", ""] }
        if message.status == .cancelled { lines += ["*(cancelled)*", ""] }
        for file in attachments { lines.append("- File: \(file.filename ?? "(deleted)")") }
        for (index, source) in sources.enumerated() {
            lines.append("- [\(index + 1)] \(source.map(Self.name) ?? "(deleted)")")
        }
        return lines.joined(separator: "\n") + "\n\n"
    }

    private static func name(_ source: Source) -> String {
        var name = source.title
        if let page = source.page { name += ", p. \(page)" }
        if let place = source.url ?? source.path { name += " (\(place))" }
        return name
    }
}
