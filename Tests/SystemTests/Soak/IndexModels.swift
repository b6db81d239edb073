import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import TestSupport
import Testing

/// A pair of models at the instant endpoint, of one vector size, with names that no other test has.
struct IndexModels: Sendable {
    let size: Int
    let passages: String
    let questions: String
    private let url: String

    init(size: Int) throws {
        url = try environment("TEST_SCRIPTED_URL")
        self.size = size
        let name = UUID().uuidString
        passages = "passages-\(name)"
        questions = "questions-\(name)"
    }

    var settings: [String: String] {
        [
            "OPENAI_EMBED_BASE_URL": url, "OPENAI_EMBED_QUERY_BASE_URL": url,
            "OPENAI_EMBED_MODEL": passages, "OPENAI_EMBED_QUERY_MODEL": questions,
            "OPENAI_EMBED_DIMENSIONS": String(size), "EMBED_BATCH_SIZE": "64",
            "CHAT_TITLES": "false",
        ]
    }

    /// Of all it was asked lately, none was for vectors of another size.
    func expectOwnSize() async throws {
        for model in [passages, questions] {
            let address = url.replacing("/v1", with: "/requests?model=\(model)")
            let answer = try await HTTPClient.shared.execute(
                HTTPClientRequest(url: address), timeout: .seconds(10))
            let body = try await answer.body.collect(upTo: 256 << 20)
            let json = try JSONSerialization.jsonObject(with: Data(buffer: body))
            let requests = (json as? [String: Any])?["requests"] as? [[String: Any]] ?? []
            #expect(!requests.isEmpty)
            let sizes = requests.map { ($0["body"] as? [String: Any])?["dimensions"] as? Int }
            #expect(Set(sizes) == [size], "\(model)")
        }
    }
}
