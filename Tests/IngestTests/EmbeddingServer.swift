import Foundation
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import TestSupport

/// A small embeddings endpoint that can be held, and that counts what it was asked.
final class EmbeddingServer: Sendable {
    private struct State {
        var texts: [String] = []
        var held: Signal?
        var pictures: [[UInt8]] = []
        var description: String?
    }

    static let dimensionCount = 8
    private let state = Mutex(State())
    /// Fired when a request arrives while it is held.
    let wasAsked = Signal()
    /// Tokens of a text, as it counts them.
    private let tokenCount: @Sendable (String) -> Int

    init(tokenCount: @escaping @Sendable (String) -> Int = { $0.split(separator: " ").count + 2 }) {
        self.tokenCount = tokenCount
    }

    /// Every text it was asked to embed so far.
    var texts: [String] { state.withLock { $0.texts } }

    /// Answers only once the signal has fired.
    func hold(until signal: Signal?) { state.withLock { $0.held = signal } }

    /// Every picture it was asked to describe so far.
    var pictures: [[UInt8]] { state.withLock { $0.pictures } }

    /// What it says about pictures; until then it refuses them.
    func describe(_ words: String) { state.withLock { $0.description = words } }

    /// Runs it on a free port while `body` runs.
    func running<Value: Sendable>(
        _ body: @escaping @Sendable (_ baseURL: String) async throws -> Value
    ) async throws -> Value {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let router = Router()
        router.post("v1/embeddings") { request, _ in try await self.answer(request) }
        router.post("v1/chat/completions") { request, _ in try await self.look(request) }
        let application = Application(
            router: router,
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { port.yield($0.localAddress?.port ?? 0) }, logger: .test)
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                try await application.run()
                return nil
            }
            defer { group.cancelAll() }
            var first = ports.makeAsyncIterator()
            let number = await first.next() ?? 0
            return try await body("http://127.0.0.1:\(number)/v1")
        }
    }

    private struct Question: Decodable { let input: [String] }

    private func answer(_ request: Request) async throws -> Response {
        let body = try await request.body.collect(upTo: 10 << 20)
        let texts = try JSONDecoder().decode(Question.self, from: Data(body.readableBytesView))
            .input
        let held = state.withLock { state in
            state.texts += texts
            return state.held
        }
        if let held {
            wasAsked.fire()
            try await held.wait(atMost: .seconds(60))
        }
        let data = texts.enumerated().map { index, text in
            "{\"index\":\(index),\"embedding\":\(Self.vector(of: text))}"
        }
        let count = texts.reduce(0) { $0 + tokenCount($1) }
        let json =
            "{\"data\":[\(data.joined(separator: ","))],\"usage\":{\"prompt_tokens\":\(count)}}"
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: json)))
    }

    /// Of a request with a picture, by OpenAI's names.
    private struct Look: Decodable {
        struct Message: Decodable { let content: [Part] }
        struct Part: Decodable { let imageUrl: Address? }
        struct Address: Decodable { let url: String }
        let messages: [Message]
    }

    /// A picture comes as a data URL.
    private func look(_ request: Request) async throws -> Response {
        let body = try await request.body.collect(upTo: 20 << 20)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let question = try decoder.decode(Look.self, from: Data(body.readableBytesView))
        let address = question.messages.first?.content.compactMap(\.imageUrl).first?.url ?? ""
        let encoded = address.split(separator: ",").last.map(String.init) ?? ""
        let picture = Data(base64Encoded: encoded) ?? Data()
        let words = state.withLock { state in
            state.pictures.append([UInt8](picture))
            return state.description
        }
        guard let words else {
            let refusal = #"{"error": {"code": "no_vision", "message": "not a model that sees"}}"#
            return Response(
                status: .badRequest, body: ResponseBody(byteBuffer: ByteBuffer(string: refusal)))
        }
        let json = #"{"choices": [{"message": {"content": "\#(words)"}}]}"#
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: json)))
    }

    private static func vector(of text: String) -> [Int] {
        var sums = [Int](repeating: 1, count: dimensionCount)
        for (position, byte) in text.utf8.enumerated() {
            sums[position % dimensionCount] += Int(byte)
        }
        return sums
    }
}
