import Domain
import HTTPService
import NIOCore

/// One event of an answer, as clients read it.
enum AnswerEvent: Sendable {
    struct Meta: Encodable, Sendable {
        let conversationID: String
        let messageID: String
        let title: String

        private enum CodingKeys: String, CodingKey {
            case title
            case conversationID = "conversation_id"
            case messageID = "message_id"
        }
    }

    /// A file that could not be waited for, or not be read.
    struct AbsentAttachment: Encodable, Sendable, Hashable {
        let attachmentID: String
        let filename: String
        let status: String

        private enum CodingKeys: String, CodingKey {
            case filename, status
            case attachmentID = "attachment_id"
        }
    }

    struct Status: Encodable, Sendable {
        enum Stage: String, Encodable {
            case waitingForTurn = "waiting_for_turn"
            case waitingForAttachments = "waiting_for_attachments"
            case retrieving
            case generating
            case degraded
        }

        let stage: Stage
        var notReady: [AbsentAttachment]?

        private enum CodingKeys: String, CodingKey {
            case stage
            case notReady = "not_ready"
        }
    }

    struct Citation: Encodable, Sendable {
        let marker: String
        let sourceIndex: Int
        /// Of the answer: what the marker stands for.
        let sentence: String
        /// Empty where no sentence of the source was recognised.
        let quote: String
        let verified: Bool
        let place: Place?

        /// Where the quote stands in its document.
        struct Place: Sendable {
            let page: Int?
            /// In Unicode scalars of the document's text.
            let span: Range<Int>
            let boxes: [SourceAnswer.Box]?
        }

        private enum CodingKeys: String, CodingKey {
            case marker, sentence, quote, verified, page, start, end, boxes
            case sourceIndex = "source_index"
        }

        /// - Parameter quote: its span in the source's text.
        init(
            marker: String, sourceIndex: Int, sentence: String, quote: Range<Int>?,
            of source: Chunk, verified: Bool
        ) {
            self.marker = marker
            self.sourceIndex = sourceIndex
            self.sentence = sentence
            self.quote = quote.map { Quote.text(in: source.text, at: $0) } ?? ""
            self.verified = verified
            place = quote.map { quote in
                let start = source.span.lowerBound
                return Place(
                    page: source.page, span: start + quote.lowerBound..<start + quote.upperBound,
                    boxes: SourceAnswer.boxes(source.boxes(of: quote), on: source.page))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(marker, forKey: .marker)
            try container.encode(sourceIndex, forKey: .sourceIndex)
            try container.encode(sentence, forKey: .sentence)
            try container.encode(quote, forKey: .quote)
            try container.encode(verified, forKey: .verified)
            guard let place else { return }
            try container.encodeIfPresent(place.page, forKey: .page)
            try container.encode(place.span.lowerBound, forKey: .start)
            try container.encode(place.span.upperBound, forKey: .end)
            try container.encodeIfPresent(place.boxes, forKey: .boxes)
        }
    }

    struct Failure: Encodable, Sendable, Hashable {
        let message: String
        let code: String
    }

    struct Done: Encodable, Sendable {
        struct Usage: Encodable, Sendable {
            let promptTokens: Int
            let completionTokens: Int

            private enum CodingKeys: String, CodingKey {
                case promptTokens = "prompt_tokens"
                case completionTokens = "completion_tokens"
            }
        }

        let messageID: String
        let finishReason: String
        let usage: Usage?

        private enum CodingKeys: String, CodingKey {
            case usage
            case messageID = "message_id"
            case finishReason = "finish_reason"
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(messageID, forKey: .messageID)
            try container.encode(finishReason, forKey: .finishReason)
            // Null, not left out: clients read the field.
            try container.encode(usage, forKey: .usage)
        }
    }

    case meta(Meta)
    case status(Status)
    case sources([SourceAnswer])
    case token(String)
    case citation(Citation)
    case error(Failure)
    case done(Done)

    func frame(id: Int) throws -> ByteBuffer {
        switch self {
        case .meta(let data): try EventStream.frame(id: id, "meta", data)
        case .status(let data): try EventStream.frame(id: id, "status", data)
        case .sources(let data): try EventStream.frame(id: id, "sources", data)
        case .token(let data): EventStream.frame(id: id, "token", text: data)
        case .citation(let data): try EventStream.frame(id: id, "citation", data)
        case .error(let data): try EventStream.frame(id: id, "error", data)
        case .done(let data): try EventStream.frame(id: id, "done", data)
        }
    }

    /// How an answer ends: with what went wrong, if anything did, and with `done`.
    static func ending(
        _ message: Message.ID, _ reason: Message.FinishReason, _ failure: AnswerFailure?,
        usage: Done.Usage? = nil
    ) -> [AnswerEvent] {
        let done = AnswerEvent.done(
            .init(
                messageID: message.description, finishReason: reason.rawValue, usage: usage))
        guard let failure else { return [done] }
        return [.error(.init(message: failure.message, code: failure.code)), done]
    }
}
