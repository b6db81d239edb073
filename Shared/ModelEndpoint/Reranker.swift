import FoundationEssentials
import NIOCore
import NIOHTTP1
package import OutboundHTTP
import Synchronization

/// A model that reads a question together with each text, behind `/rerank` as Jina and llama.cpp serve
/// it, or as Hugging Face's text-embeddings-inference does: which of the two is found by asking.
package final class Reranker: Sendable {
    private enum Dialect { case documents, texts }

    private let address: ModelEndpoint.Address
    private let model: String?
    private let dialect = Mutex(Dialect.documents)

    /// Of a text, in characters: about what such models read.
    private static let textLengthMax = 4000

    /// - Parameter url: with or without the `/rerank` at its end.
    package init(http: OutboundHTTP, url: String, apiKey: String?, model: String?) {
        let whole = url.hasSuffix("/") ? String(url.dropLast()) : url
        let suffix = "/rerank"
        address = ModelEndpoint.Address(
            http: http,
            baseURL: whole.hasSuffix(suffix) ? String(whole.dropLast(suffix.count)) : whole,
            apiKey: apiKey)
        self.model = model
    }

    /// How well each text answers the question; the numbers compare within one call only.
    ///
    /// - Parameter deadline: for everything, a second way of asking included.
    package func scores(
        of texts: [String], for question: String, deadline: Duration
    ) async throws(ModelError) -> [Double] {
        if texts.isEmpty { return [] }
        let end = ContinuousClock.now + deadline
        let asked = dialect.withLock { $0 }
        do {
            return try await ask(texts, question, asked, deadline)
        } catch {
            // What misses its field is told so by the other kind of server.
            guard case .refused(let status, _) = error, status == 400 || status == 422 else {
                throw error
            }
            let other: Dialect = asked == .documents ? .texts : .documents
            let scores = try await ask(texts, question, other, end - .now)
            dialect.withLock { $0 = other }
            return scores
        }
    }

    private func ask(
        _ texts: [String], _ question: String, _ dialect: Dialect, _ deadline: Duration
    ) async throws(ModelError) -> [Double] {
        let texts = texts.map { String($0.prefix(Self.textLengthMax)) }
        let body =
            switch dialect {
            case .documents:
                try encodedJSON(
                    DocumentsRequest(
                        model: model, query: question, documents: texts, topN: texts.count))
            case .texts: try encodedJSON(TextsRequest(query: question, texts: texts))
            }
        var request = address.request(.POST, "/rerank", body: body, deadline: deadline)
        // Some servers send the texts back.
        request.responseByteCountMax = texts.count * Self.textLengthMax * 8 + 65_536
        let answer: RerankAnswer = try await address.answer(
            to: request, with: snakeCaseDecoder())
        return try answer.scores(count: texts.count)
    }
}

private struct DocumentsRequest: Encodable {
    let model: String?
    let query: String
    let documents: [String]
    let topN: Int
    let returnDocuments = false
    private enum CodingKeys: CodingKey { case model, query, documents, topN, returnDocuments }
}

private struct TextsRequest: Encodable {
    let query: String
    let texts: [String]
    /// Cut rather than refused when a text is longer than the model reads.
    let truncate = true
    private enum CodingKeys: CodingKey { case query, texts, truncate }
}

/// `{"results": [{"index", "relevance_score"}]}` or `[{"index", "score"}]`.
private struct RerankAnswer: Decodable {
    private struct Item: Decodable {
        let index: Int
        let relevanceScore: Double?
        let score: Double?
    }

    private struct Results: Decodable { let results: [Item] }

    private let items: [Item]

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        // `try?`: what is no list may be the other form; what is neither throws.
        if let items = try? container.decode([Item].self) {
            self.items = items
        } else {
            items = try container.decode(Results.self).results
        }
    }

    func scores(count: Int) throws(ModelError) -> [Double] {
        var scores = [Double?](repeating: nil, count: count)
        for item in items {
            guard scores.indices.contains(item.index), scores[item.index] == nil,
                let score = item.relevanceScore ?? item.score, score.isFinite
            else { throw .undecodable }
            scores[item.index] = score
        }
        let found = scores.compactMap { $0 }
        guard found.count == count else { throw .undecodable }
        return found
    }
}
