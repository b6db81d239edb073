import NIOCore
import NIOPosix
import Synchronization
import TestSupport

/// A chat model that answers each request as the test says, byte by byte.
final class ScriptedModel: Sendable {
    enum Step: Sendable {
        case send(String)
        /// What depends on the request, which is given as it came.
        case respond(@Sendable (_ request: String) throws -> [String])
        /// Tells the test, then waits for it.
        case pause(reached: Signal, goOn: Signal)
        /// Says nothing more, until the other side goes away.
        case hang(gone: Signal)
    }

    private struct State {
        var answers: [[Step]] = []
        var requests: [String] = []
    }

    private let state = Mutex(State())
    let url: String

    private init(port: Int) { url = "http://127.0.0.1:\(port)/v1" }

    /// The answers to the next requests, the last one again and again.
    func answer(_ answers: [Step]...) { state.withLock { $0.answers = answers } }

    var requests: [String] { state.withLock { $0.requests } }

    static func run<Result: Sendable>(
        _ body: @Sendable (ScriptedModel) async throws -> Result
    ) async throws -> Result {
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            // Wrapped when it is served: one that is still waiting at the end would trap otherwise.
            .childChannelOption(.autoRead, value: false)
            .bind(host: "127.0.0.1", port: 0) { $0.eventLoop.makeSucceededFuture($0) }
        let model = ScriptedModel(port: listener.channel.localAddress?.port ?? 0)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await listener.executeThenClose { connections in
                    try await withThrowingDiscardingTaskGroup { served in
                        for try await connection in connections {
                            served.addTask {
                                // A connection that the other side cut is part of the test.
                                try? await model.serve(NIOAsyncChannel.reading(connection))
                            }
                        }
                    }
                }
            }
            defer { group.cancelAll() }
            return try await body(model)
        }
    }

    private func next(_ request: String) -> [Step] {
        state.withLock { state in
            state.requests.append(request)
            if state.answers.count > 1 { return state.answers.removeFirst() }
            return state.answers.first ?? []
        }
    }

    private func serve(_ connection: NIOAsyncChannel<ByteBuffer, ByteBuffer>) async throws {
        try await connection.executeThenClose { inbound, outbound in
            var iterator = inbound.makeAsyncIterator()
            var text = ""
            while !Self.isWhole(text), let buffer = try await iterator.next() {
                text += String(buffer: buffer)
            }
            for step in next(text) {
                switch step {
                case .send(let text):
                    try await outbound.write(ByteBuffer(string: text))
                case .respond(let answer):
                    for text in try answer(text) {
                        try await outbound.write(ByteBuffer(string: text))
                    }
                case .pause(let reached, let goOn):
                    reached.fire()
                    try await goOn.wait()
                case .hang(let gone):
                    defer { gone.fire() }
                    while try await iterator.next() != nil {}
                }
            }
        }
    }

    private static func isWhole(_ text: String) -> Bool {
        guard let end = text.firstRange(of: "\r\n\r\n") else { return false }
        let lengths = text.lowercased().split(separator: "\r\n").compactMap { line in
            line.hasPrefix("content-length: ") ? Int(line.dropFirst(16)) : nil
        }
        return text[end.upperBound...].utf8.count >= lengths.first ?? 0
    }
}

extension ScriptedModel.Step {
    static let head = Self.send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
    static let usage = Self.send(
        #"data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}}"# + "\n\n")
    static let done = Self.send("data: [DONE]\n\n")

    static func piece(_ text: String) -> Self {
        .send(#"data: {"choices":[{"index":0,"delta":{"content":"\#(text)"}}]}"# + "\n\n")
    }

    static func finish(_ reason: String = "stop") -> Self {
        .send(#"data: {"choices":[{"delta":{},"finish_reason":"\#(reason)"}]}"# + "\n\n")
    }

    static func refusal(_ status: String) -> Self {
        .send(
            "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
                + "Connection: close\r\n\r\n{}")
    }
}

extension [ScriptedModel.Step] {
    /// A whole answer in these pieces.
    static func says(_ pieces: String...) -> Self {
        [.head] + pieces.map { .piece($0) } + [.finish(), .usage, .done]
    }
}
