import NIOCore
import NIOHTTP1
import OutboundHTTP

/// One turn of what a chat model is given.
package struct ChatMessage: Sendable, Hashable, Codable {
    package enum Role: String, Sendable, Codable {
        case system
        case user
        case assistant
    }

    package let role: Role
    package let content: String

    package init(role: Role, content: String) {
        self.role = role
        self.content = content
    }
}

/// Tokens as the endpoint counted them.
package struct TokenUsage: Sendable, Hashable {
    package let promptTokenCount: Int
    package let completionTokenCount: Int

    package init(promptTokenCount: Int, completionTokenCount: Int) {
        self.promptTokenCount = promptTokenCount
        self.completionTokenCount = completionTokenCount
    }
}

package enum ChatEvent: Sendable, Hashable {
    case text(String)
    /// Always last, and always there unless the stream throws.
    case finished(FinishReason, usage: TokenUsage?)

    package enum FinishReason: Sendable, Hashable {
        case stop
        /// Cut by the model's limit on output tokens, or by ours on bytes.
        case length
        case contentFilter
        /// One we do not know.
        case other(String)
    }
}

/// How long a chat model may take, and how much it may say.
package struct ChatLimits: Sendable {
    /// Until the head of the answer. Servers send it when the first token is near.
    package var headDeadline: Duration
    /// Longest silence between two pieces.
    package var idle: Duration
    package var total: Duration
    /// Of text; the answer ends with `.length` there.
    package var outputByteCountMax: Int

    package init(
        headDeadline: Duration = .seconds(60), idle: Duration = .seconds(60),
        total: Duration = .seconds(600), outputByteCountMax: Int = 256 << 10
    ) {
        self.headDeadline = headDeadline
        self.idle = idle
        self.total = total
        self.outputByteCountMax = outputByteCountMax
    }
}

extension ModelEndpoint {
    /// An answer, given to `read` piece by piece; it is let go of when `read` ends. Never repeated by
    /// itself: the model would say something else. Throws `ModelError`, and whatever `read` throws.
    package func chat<Value: Sendable>(
        _ messages: [ChatMessage], model: String, temperature: Double? = nil,
        outputTokenCountMax: Int? = nil, limits: ChatLimits = ChatLimits(),
        _ read: @escaping @Sendable (ChatStream) async throws -> Value
    ) async throws -> Value {
        let body = try encodedJSON(
            ChatRequest(
                model: model, messages: messages, temperature: temperature,
                maxTokens: outputTokenCountMax))
        var request = chat.request(
            .POST, "/chat/completions", accept: "text/event-stream", body: body,
            deadline: limits.headDeadline)
        // A frame of a hundred bytes and more carries a token of four.
        request.responseByteCountMax = 1 << 20 + limits.outputByteCountMax * 256
        do {
            return try await chat.http.stream(request, idle: limits.idle, total: limits.total) {
                answer in
                guard (200..<300).contains(answer.status) else {
                    throw await refusal(of: answer)
                }
                let type = answer.headers.first(name: "content-type") ?? "text/event-stream"
                guard type.lowercased().hasPrefix("text/event-stream") else {
                    throw ModelError.undecodable
                }
                return try await read(
                    ChatStream(answer.body, outputByteCountMax: limits.outputByteCountMax))
            }
        } catch let error as OutboundError {
            throw ModelError(error)
        }
    }

    /// The whole text of an answer.
    package func text(
        for messages: [ChatMessage], model: String, temperature: Double? = nil,
        outputTokenCountMax: Int, limits: ChatLimits
    ) async throws -> String {
        try await chat(
            messages, model: model, temperature: temperature,
            outputTokenCountMax: outputTokenCountMax, limits: limits
        ) { stream in
            var text = ""
            for try await case .text(let piece) in stream { text += piece }
            return text
        }
    }

    private func refusal(of answer: StreamedAnswer) async -> ModelError {
        var bytes: [UInt8] = []
        do {
            for try await buffer in answer.body {
                bytes += buffer.readableBytesView
                // Whatever is longer is a page of HTML, not a refusal.
                if bytes.count > 65_536 { break }
            }
        } catch {
            bytes = []
        }
        return ModelError(
            status: answer.status,
            retryAfter: answer.headers.retryAfter(now: unixSeconds()),
            refusal: decodedRefusal(bytes))
    }
}

private struct ChatRequest: Encodable {
    struct StreamOptions: Encodable {
        let includeUsage = true
        private enum CodingKeys: CodingKey { case includeUsage }
    }
    let model: String
    let messages: [ChatMessage]
    let temperature: Double?
    let maxTokens: Int?
    let stream = true
    let streamOptions = StreamOptions()
    private enum CodingKeys: CodingKey {
        case model, messages, temperature, maxTokens, stream, streamOptions
    }
}
