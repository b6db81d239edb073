import Foundation
import ModelEndpoint
import Testing

@Suite("A model that sees", .timeLimit(.minutes(5)))
struct ModelVisionTests {
    private func said(_ step: ModelServer.Step, _ deadline: Duration = .seconds(20)) async throws
        -> (Result<String, ModelError>, request: String)
    {
        try await ModelServer.run([step]) { server in
            let result: Result<String, ModelError> = try await server.withEndpoint { endpoint in
                do {
                    return .success(
                        try await endpoint.describe(
                            png: Data([1, 2, 3]), asked: "What is it?", model: "v",
                            outputTokenCountMax: 40, deadline: deadline))
                } catch let error as ModelError {
                    return .failure(error)
                }
            }
            return (result, await server.requests.all.first ?? "")
        }
    }

    private func answer(_ content: String) -> ModelServer.Step {
        .json(#"{"choices":[{"message":{"role":"assistant","content":\#(content)}}]}"#)
    }

    @Test("sends the picture with the question, and gives back the words on one line")
    func described() async throws {
        let (result, request) = try await said(answer(#"" A bill.\n\nOf March. ""#))
        #expect(result == .success("A bill. Of March."))
        #expect(request.hasPrefix("POST /v1/chat/completions HTTP/1.1\r\n"))
        let body = try #require(request.components(separatedBy: "\r\n\r\n").last)
        let sent = try #require(
            JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
        #expect(sent["model"] as? String == "v")
        #expect(sent["max_tokens"] as? Int == 40)
        #expect(sent["stream"] as? Bool == false)
        let message = try #require((sent["messages"] as? [[String: Any]])?.first)
        #expect(message["role"] as? String == "user")
        let parts = try #require(message["content"] as? [[String: Any]])
        #expect(parts.map { $0["type"] as? String } == ["text", "image_url"])
        #expect(parts[0]["text"] as? String == "What is it?")
        let address = parts[1]["image_url"] as? [String: String]
        #expect(address?["url"] == "data:image/png;base64,AQID")
    }

    @Test("says why there are no words")
    func failures() async throws {
        let refusal = #"{"error":{"code":"no_vision","message":"cannot see"}}"#
        let cases: [(ModelServer.Step, ModelError)] = [
            (.json(refusal, status: "400 Bad Request"), .refused(status: 400, code: "no_vision")),
            (.json("{}", status: "503 Unavailable"), .unreachable),
            (
                .json("{}", status: "429 Busy", headers: "Retry-After: 7\r\n"),
                .rateLimited(retryAfter: .seconds(7))
            ),
            (answer(#"" \n""#), .undecodable), (answer("null"), .undecodable),
            (.json(#"{"choices":[]}"#), .undecodable),
            (answer("\"" + String(repeating: "x", count: 100_000) + "\""), .undecodable),
        ]
        for (step, expected) in cases {
            #expect(try await said(step).0 == .failure(expected))
        }
        #expect(try await said(.hang, .milliseconds(300)).0 == .failure(.timedOut))
    }
}
