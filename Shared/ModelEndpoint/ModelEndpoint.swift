import FoundationEssentials
import NIOCore
import NIOHTTP1
package import OutboundHTTP

/// Language and embedding models behind OpenAI's interface, wherever they are served.
package struct ModelEndpoint: Sendable {
    /// One server and its key.
    package struct Address: Sendable {
        let http: OutboundHTTP
        let baseURL: String
        let apiKey: String?

        /// `baseURL` ends where `/chat/completions` and `/embeddings` begin.
        package init(http: OutboundHTTP, baseURL: String, apiKey: String?) {
            self.http = http
            self.baseURL = baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL
            self.apiKey = apiKey
        }
    }

    let chat: Address
    let passages: Address
    let questions: Address
    /// What the settings name, asked of the endpoint only if set: many servers refuse the field.
    let dimensionCount: Int?
    /// Most texts of one request.
    let batchSize: Int

    /// Questions have an address of their own so that none waits behind a batch of passages.
    package init(
        chat: Address, passages: Address, questions: Address? = nil, dimensionCount: Int? = nil,
        batchSize: Int = 32
    ) {
        self.chat = chat
        self.passages = passages
        self.questions = questions ?? passages
        self.dimensionCount = dimensionCount
        self.batchSize = max(1, batchSize)
    }

    /// Throws unless the server of the chat model answers at all, with whatever.
    package func requireChatReachable(
        deadline: Duration = .seconds(2)
    ) async throws(ModelError) {
        try await requireReachable(chat, deadline: deadline)
    }

    /// The same for the one that embeds questions.
    package func requireQuestionsReachable(
        deadline: Duration = .seconds(2)
    ) async throws(ModelError) {
        try await requireReachable(questions, deadline: deadline)
    }

    private func requireReachable(
        _ address: Address, deadline: Duration
    ) async throws(ModelError) {
        var request = address.request(.GET, "/models", deadline: deadline)
        request.responseByteCountMax = 8 << 20
        do {
            let answer = try await address.http.send(request)
            // 401 and 404 are answers too: some servers have no list of models.
            if answer.status >= 500 { throw ModelError.unreachable }
        } catch let error as ModelError {
            throw error
        } catch let error as OutboundError {
            throw ModelError(error)
        } catch {
            throw .unreachable
        }
    }
}

extension ModelEndpoint.Address {
    func request(
        _ method: HTTPMethod, _ path: String, accept: String = "application/json",
        body: ByteBuffer? = nil, deadline: Duration
    ) -> OutboundHTTP.Request {
        var headers = [("Accept", accept)]
        if body != nil { headers.append(("Content-Type", "application/json")) }
        if let apiKey { headers.append(("Authorization", "Bearer \(apiKey)")) }
        return OutboundHTTP.Request(
            method: method, url: baseURL + path, headers: headers, body: body,
            deadline: deadline, responseByteCountMax: 1 << 20)
    }
}

extension ModelEndpoint.Address {
    /// A whole answer in JSON.
    func answer<Value: Decodable>(
        to request: OutboundHTTP.Request, with decoder: JSONDecoder = JSONDecoder()
    ) async throws(ModelError) -> Value {
        do {
            let answer = try await http.send(request)
            try answer.requireNoRefusal()
            return try answer.decode(Value.self, with: decoder)
        } catch let error as ModelError {
            throw error
        } catch let error as OutboundError {
            throw ModelError(error)
        } catch {
            throw .undecodable
        }
    }
}

/// Request bodies: snake case, as OpenAI's fields are.
func encodedJSON(_ body: some Encodable) throws(ModelError) -> ByteBuffer {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    do {
        return ByteBuffer(bytes: try encoder.encode(body))
    } catch {
        throw .undecodable
    }
}

func snakeCaseDecoder() -> JSONDecoder {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return decoder
}
