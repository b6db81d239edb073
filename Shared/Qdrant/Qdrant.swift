import FoundationEssentials
import NIOCore
import NIOHTTP1
package import OutboundHTTP

/// The vector engine over its REST interface.
///
/// An index that can always be rebuilt: nothing in it is the truth, and nothing is answered from
/// it. Needs Qdrant 1.17, the first whose reciprocal rank fusion has weights.
package struct Qdrant: Sendable {
    let http: OutboundHTTP
    let url: String
    let apiKey: String?

    package init(http: OutboundHTTP, url: String, apiKey: String?) {
        self.http = http
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.apiKey = apiKey
    }

    /// Answers to anything but a scroll are small; a page of 50 × 3 candidates is 20 KiB.
    private static let answerByteCountMax = 4 << 20

    /// What all answers of the engine are wrapped in.
    private struct Envelope<Result: Decodable>: Decodable {
        let result: Result
    }

    private struct Refusal: Decodable {
        struct Status: Decodable { let error: String }
        let status: Status
    }

    /// One call. `attemptCountMax` above 1 only for what may be done twice.
    ///
    /// - Parameter vector: stands in the body wherever `SharedVector` does.
    func call<Result: Decodable>(
        _ method: HTTPMethod, _ path: String, deadline: Duration, attemptCountMax: Int = 3,
        body: (any Encodable)? = nil, vector: [Float]? = nil, as type: Result.Type = Result.self
    ) async throws(QdrantError) -> Result {
        var headers = [("Accept", "application/json")]
        if let apiKey { headers.append(("api-key", apiKey)) }
        var bytes: ByteBuffer?
        if let body {
            headers.append(("Content-Type", "application/json"))
            let encoded = try encoded(body)
            bytes = vector.map { SharedVector.inserted($0, into: encoded) } ?? encoded
        }
        let answer: OutboundHTTP.Answer
        do {
            answer = try await http.send(
                OutboundHTTP.Request(
                    method: method, url: url + path, headers: headers, body: bytes,
                    deadline: deadline, responseByteCountMax: Self.answerByteCountMax,
                    attemptCountMax: attemptCountMax))
        } catch {
            throw QdrantError(error)
        }
        try check(answer)
        do {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try answer.decode(Envelope<Result>.self, with: decoder).result
        } catch {
            throw .undecodable
        }
    }

    private func encoded(_ body: any Encodable) throws(QdrantError) -> ByteBuffer {
        do {
            let encoder = JSONEncoder()
            encoder.keyEncodingStrategy = .convertToSnakeCase
            return ByteBuffer(bytes: try encoder.encode(body))
        } catch {
            // A number that is none has no JSON form.
            throw .undecodable
        }
    }

    private func check(_ answer: OutboundHTTP.Answer) throws(QdrantError) {
        if answer.isSuccess { return }
        switch answer.status {
        case 404: throw .notFound
        case 408, 429, 500...: throw .unreachable
        default:
            // The engine's words help in the log; an answer in another form has none.
            let message = (try? answer.decode(Refusal.self))?.status.error ?? ""
            throw .refused(status: answer.status, message: String(message.prefix(300)))
        }
    }
}
