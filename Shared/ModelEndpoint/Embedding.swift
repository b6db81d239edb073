import NIOCore
import NIOHTTP1
import OutboundHTTP

/// What a text is embedded as: models of the E5 kind know two ways, and each may have a server
/// of its own.
package enum EmbeddingPurpose: Sendable {
    case passage
    case question
}

/// Vectors in the order of the texts.
package struct Embeddings: Sendable {
    package let vectors: [[Float]]
    /// As the endpoint counted them; 0 when it did not say.
    package let promptTokenCount: Int

    package init(vectors: [[Float]], promptTokenCount: Int) {
        self.vectors = vectors
        self.promptTokenCount = promptTokenCount
    }
}

extension ModelEndpoint {
    /// Embeds any number of texts, a batch at a time. Every vector is of one length (the expected
    /// one, if given) and of finite numbers. `deadline` is for all of them.
    ///
    /// - Parameter namesSize: whether the endpoint is asked for that length; nil: if the settings
    ///   name one.
    package func embed(
        _ texts: [String], as purpose: EmbeddingPurpose, model: String,
        expecting dimensionCount: Int? = nil, namesSize: Bool? = nil,
        deadline: Duration = .seconds(60)
    ) async throws(ModelError) -> Embeddings {
        let isNamed = namesSize ?? (self.dimensionCount != nil)
        let size = isNamed ? dimensionCount ?? self.dimensionCount : nil
        let end = ContinuousClock.now + deadline
        var vectors: [[Float]] = []
        var tokenCount = 0
        var expected = dimensionCount
        var rest = texts[...]
        while !rest.isEmpty {
            let batch = Array(rest.prefix(batchSize))
            rest = rest.dropFirst(batch.count)
            let answer = try await embedBatch(
                batch, at: purpose == .question ? questions : passages, model: model, size: size,
                deadline: end - .now)
            let found = try answer.vectors(count: batch.count, dimensionCount: expected)
            expected = found.first?.count
            vectors += found
            tokenCount += answer.usage?.promptTokens ?? 0
        }
        return Embeddings(vectors: vectors, promptTokenCount: tokenCount)
    }

    private func embedBatch(
        _ texts: [String], at address: Address, model: String, size: Int?, deadline: Duration
    ) async throws(ModelError) -> EmbeddingAnswer {
        let body = try encodedJSON(
            EmbeddingRequest(model: model, input: texts, dimensions: size))
        var request = address.request(.POST, "/embeddings", body: body, deadline: deadline)
        // A number takes up to 25 bytes of JSON, and the longest vectors in use are 4,096 long.
        request.responseByteCountMax = texts.count * 4096 * 25 + 65_536
        // The same texts embed to the same vectors.
        request.attemptCountMax = 3
        return try await address.answer(to: request)
    }
}

extension OutboundHTTP.Answer {
    func requireNoRefusal() throws(ModelError) {
        if isSuccess { return }
        // `try?`: a refusal in a form of its own has still its status.
        let refusal = try? decode(Refusal.self)
        throw ModelError(status: status, retryAfter: retryAfter, refusal: refusal)
    }
}

private struct EmbeddingRequest: Encodable {
    let model: String
    let input: [String]
    let dimensions: Int?
    let encodingFormat = "float"
    private enum CodingKeys: CodingKey { case model, input, dimensions, encodingFormat }
}

private struct EmbeddingAnswer: Decodable {
    struct Item: Decodable {
        let index: Int
        let embedding: [Float]
    }
    struct Usage: Decodable {
        let promptTokens: Int?

        private enum CodingKeys: String, CodingKey {
            case promptTokens = "prompt_tokens"
        }
    }
    let data: [Item]
    let usage: Usage?

    /// By index: an endpoint may answer in any order.
    func vectors(count: Int, dimensionCount: Int?) throws(ModelError) -> [[Float]] {
        var vectors = [[Float]](repeating: [], count: count)
        for item in data {
            guard vectors.indices.contains(item.index), vectors[item.index].isEmpty,
                item.embedding.allSatisfy(\.isFinite)
            else { throw .undecodable }
            vectors[item.index] = item.embedding
        }
        let expected = dimensionCount ?? vectors.first?.count
        guard vectors.allSatisfy({ !$0.isEmpty && $0.count == expected }) else {
            throw .undecodable
        }
        return vectors
    }
}
