import Foundation
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import TestSupport

/// A small embeddings endpoint that can be held, and that counts what it was asked. A model's name may
/// end in the length of its vectors (`wide-16`); one that is `odd` finds other texts near.
final class EmbeddingServer: Sendable {
    private struct State {
        var texts: [String] = []
        var held: Signal?
        var isHeld: @Sendable (_ model: String, _ texts: [String]) -> Bool = { _, _ in true }
        var gone: Set<String> = []
        var sizes: [String: Int] = [:]
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

    /// Answers only once the signal has fired, those requests that are meant.
    func hold(
        until signal: Signal?,
        when isHeld: @escaping @Sendable (_ model: String, _ texts: [String]) -> Bool = {
            _, _ in true
        }
    ) {
        state.withLock { state in
            state.held = signal
            state.isHeld = isHeld
        }
    }

    /// A model that is not served any more, until it is again.
    func refuse(_ model: String) { state.withLock { _ = $0.gone.insert(model) } }
    func serve(_ model: String) { state.withLock { _ = $0.gone.remove(model) } }

    /// It gives vectors of another length from now on.
    func resize(_ model: String, to size: Int) { state.withLock { $0.sizes[model] = size } }

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

    private struct Question: Decodable {
        let model: String
        let input: [String]
    }

    private func answer(_ request: Request) async throws -> Response {
        let body = try await request.body.collect(upTo: 10 << 20)
        let question = try JSONDecoder().decode(
            Question.self, from: Data(body.readableBytesView))
        let (model, texts) = (question.model, question.input)
        let (held, isGone, size) = state.withLock { state in
            state.texts += texts
            let held = state.isHeld(model, texts) ? state.held : nil
            return (held, state.gone.contains(model), state.sizes[model])
        }
        if isGone {
            let refusal = #"{"error": {"code": "model_not_found", "message": "no such model"}}"#
            return Response(
                status: .notFound, body: ResponseBody(byteBuffer: ByteBuffer(string: refusal)))
        }
        if let held {
            wasAsked.fire()
            try await held.wait(atMost: .seconds(60))
        }
        let data = texts.enumerated().map { index, text in
            "{\"index\":\(index),\"embedding\":\(Self.vector(of: text, model, size))}"
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

    private static func vector(of text: String, _ model: String, _ size: Int?) -> [Int] {
        let named = model.split(separator: "-").last.flatMap { Int($0) }
        let size = size ?? named ?? dimensionCount
        var sums = [Int](repeating: 1, count: size)
        for (position, byte) in text.utf8.enumerated() {
            if model.contains("odd") {
                sums[Int(byte) % size] += 100
            } else {
                sums[position % size] += Int(byte)
            }
        }
        return sums
    }
}
