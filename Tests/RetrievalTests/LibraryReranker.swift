import NIOCore
import NIOHTTP1
import OutboundHTTP
import TestSupport
import Testing

extension Library {
    /// Texts with this word come first when they are reranked.
    func tell(reranker word: String) async throws {
        let url = try environment("TEST_SCRIPTED_URL").replacing("/v1", with: "/script")
        let answer = try await http("reranker").send(
            OutboundHTTP.Request(
                method: .POST, url: url,
                body: ByteBuffer(string: #"{"model": "judge", "steps": [{"prefer": "\#(word)"}]}"#),
                deadline: .seconds(10), responseByteCountMax: 1 << 10))
        try #require(answer.isSuccess)
    }
}
