package import FoundationEssentials
import NIOCore
import NIOHTTP1
import OutboundHTTP

extension ModelEndpoint {
    /// What stands on a picture, in the model's words: at most `outputTokenCountMax` tokens, and
    /// never empty. Not repeated by itself: whoever asks knows how much it matters.
    ///
    /// - Parameter png: sent whole, in the request.
    package func describe(
        png: Data, asked question: String, model: String, outputTokenCountMax: Int = 300,
        deadline: Duration = .seconds(60)
    ) async throws(ModelError) -> String {
        let url = "data:image/png;base64," + png.base64EncodedString()
        let body = try encodedJSON(
            VisionRequest(
                model: model, maxTokens: outputTokenCountMax,
                messages: [.init(content: [.text(question), .image(url)])]))
        var request = chat.request(.POST, "/chat/completions", body: body, deadline: deadline)
        // A token has a few letters; the rest of the answer is short.
        request.responseByteCountMax = outputTokenCountMax * 64 + 65_536
        let said: VisionAnswer = try await chat.answer(to: request, with: snakeCaseDecoder())
        return try said.text()
    }
}

private struct VisionRequest: Encodable {
    struct Message: Encodable {
        let role = "user"
        let content: [Part]
        private enum CodingKeys: CodingKey { case role, content }
    }

    enum Part: Encodable {
        case text(String)
        case image(String)

        private enum Key: CodingKey { case type, text, imageUrl }
        private enum AddressKey: CodingKey { case url }

        func encode(to encoder: any Encoder) throws {
            var part = encoder.container(keyedBy: Key.self)
            switch self {
            case .text(let text):
                try part.encode("text", forKey: .type)
                try part.encode(text, forKey: .text)
            case .image(let url):
                try part.encode("image_url", forKey: .type)
                var address = part.nestedContainer(keyedBy: AddressKey.self, forKey: .imageUrl)
                try address.encode(url, forKey: .url)
            }
        }
    }

    let model: String
    let maxTokens: Int
    let messages: [Message]
    let stream = false
    private enum CodingKeys: CodingKey { case model, maxTokens, messages, stream }
}

private struct VisionAnswer: Decodable {
    struct Choice: Decodable {
        struct Message: Decodable { let content: String? }
        let message: Message
    }
    let choices: [Choice]

    func text() throws(ModelError) -> String {
        let words = choices.first?.message.content?.split(whereSeparator: \.isWhitespace) ?? []
        guard !words.isEmpty else { throw .undecodable }
        return words.joined(separator: " ")
    }
}
