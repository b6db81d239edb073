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

    /// Runs it on a free port while `body` runs.
    func running<Value: Sendable>(
        _ body: @escaping @Sendable (_ baseURL: String) async throws -> Value
    ) async throws -> Value {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let router = Router()
        router.post("v1/embeddings") { request, _ in try await self.answer(request) }
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

    private static func vector(of text: String) -> [Int] {
        var sums = [Int](repeating: 1, count: dimensionCount)
        for (position, byte) in text.utf8.enumerated() {
            sums[position % dimensionCount] += Int(byte)
        }
        return sums
    }
}
