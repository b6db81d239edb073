import Domain
import FoundationEssentials
import HTTPService

/// The body of `POST /chat`, as it came.
struct ChatRequest: Codable, Sendable {
    let message: String
    let conversationID: String?
    let attachmentIDs: [String]?
    let context: JSONValue?
    let topK: ClampedInteger?
    let includeCitations: Bool?
    let sources: [String]?

    private enum CodingKeys: String, CodingKey {
        case message, context, sources
        case conversationID = "conversation_id"
        case attachmentIDs = "attachment_ids"
        case topK = "top_k"
        case includeCitations = "include_citations"
    }
}

/// The optional body of requests for another answer.
struct AgainRequest: Decodable, Sendable {
    let context: JSONValue?
    let topK: ClampedInteger?
    let includeCitations: Bool?
    let sources: [String]?

    private enum CodingKeys: String, CodingKey {
        case context, sources
        case topK = "top_k"
        case includeCitations = "include_citations"
    }
}

/// How to answer a question that is there already.
struct AnswerOptions: Sendable {
    let context: JSONValue?
    let topK: Int
    /// Nil: as before.
    let includesCitations: Bool?
    let sources: Set<SourceKind>

    init(_ body: AgainRequest?) throws {
        context = try RequestLimits.context(body?.context)
        topK = RequestLimits.topK(body?.topK)
        includesCitations = body?.includeCitations
        sources = try RequestLimits.sources(body?.sources)
    }
}

/// The body of `POST /search`, as it came.
struct SearchRequest: Decodable, Sendable {
    let query: String
    let topK: ClampedInteger?
    let attachmentIDs: [String]?
    let sources: [String]?

    private enum CodingKeys: String, CodingKey {
        case query, sources
        case topK = "top_k"
        case attachmentIDs = "attachment_ids"
    }
}

/// The limits that the API promises. Each check throws a problem that points at its field.
enum RequestLimits {
    static let messageLengthMax = 32_000
    static let contextByteCountMax = 256 << 10
    static let attachmentCountMax = 20
    static let topKDefault = 5
    static let topKAllowed = 1...50
    /// A message in the worst of JSON's escapes, the context, and some room.
    static let bodyByteCountMax = messageLengthMax * 12 + contextByteCountMax * 2 + (64 << 10)

    static func topK(_ asked: ClampedInteger?) -> Int {
        min(max(asked?.value ?? topKDefault, topKAllowed.lowerBound), topKAllowed.upperBound)
    }

    static func requireLength(of text: String, _ pointer: String) throws {
        guard text.unicodeScalars.count <= messageLengthMax else {
            throw Problem.invalid(pointer, "must have at most \(messageLengthMax) characters")
        }
    }

    static func sources(_ names: [String]?) throws -> Set<SourceKind> {
        guard let names else { return Set(SourceKind.allCases) }
        var kinds: Set<SourceKind> = []
        for (index, name) in names.enumerated() {
            guard let kind = SourceKind(rawValue: name) else {
                throw Problem.invalid("/sources/\(index)", "must be mine, shared or training")
            }
            kinds.insert(kind)
        }
        return kinds.isEmpty ? Set(SourceKind.allCases) : kinds
    }

    /// A malformed id is answered like an unknown one.
    static func attachments(_ texts: [String]?) throws -> [Attachment.ID] {
        guard let texts else { return [] }
        guard texts.count <= attachmentCountMax else {
            throw Problem.invalid(
                "/attachment_ids", "must name at most \(attachmentCountMax) attachments")
        }
        var ids: [Attachment.ID] = []
        for text in texts {
            guard let id = Attachment.ID(text) else { throw Problem.attachmentNotFound }
            if !ids.contains(id) { ids.append(id) }
        }
        return ids
    }

    /// Null counts as absent.
    static func context(_ value: JSONValue?) throws -> JSONValue? {
        guard let value, value != .null else { return nil }
        guard case .object = value else { throw Problem.invalid("/context", "must be an object") }
        guard try JSONEncoder().encode(value).count <= contextByteCountMax else {
            throw Problem.invalid("/context", "must have at most \(contextByteCountMax) bytes")
        }
        return value
    }
}
