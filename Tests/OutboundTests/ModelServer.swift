import AsyncHTTPClient
import Logging
import ModelEndpoint
import NIOCore
import NIOPosix
import OutboundHTTP
import TestSupport

/// A model server that says exactly what it is told to, byte by byte.
struct ModelServer: Sendable {
    enum Step: Sendable {
        case send(String)
        case wait(Duration)
        /// Says nothing more, until the other side goes away.
        case hang
    }

    let url: String
    let requests: Requests
    /// One element for every connection that the other side closed while we were hanging.
    let goneClients: AsyncStream<Void>

    /// What was asked, in order.
    actor Requests {
        private(set) var all: [String] = []
        func append(_ text: String) { all.append(text) }
    }

    /// Serves the answers, one per request, the last one again and again. After each the
    /// connection is closed, which is what ends a body without a length.
    @discardableResult
    static func run<Result: Sendable>(
        _ answers: [Step]..., body: @Sendable (ModelServer) async throws -> Result
    ) async throws -> Result {
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            // Wrapped when it is served: one that is still waiting at the end would trap otherwise.
            .childChannelOption(.autoRead, value: false)
            .bind(host: "127.0.0.1", port: 0) { $0.eventLoop.makeSucceededFuture($0) }
        let (gone, signal) = AsyncStream.makeStream(of: Void.self)
        let requests = Requests()
        let port = listener.channel.localAddress?.port ?? 0
        let server = ModelServer(
            url: "http://127.0.0.1:\(port)/v1", requests: requests, goneClients: gone)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await listener.executeThenClose { connections in
                    try await withThrowingDiscardingTaskGroup { served in
                        for try await connection in connections {
                            served.addTask {
                                // A connection that the other side cut is part of the test.
                                try? await serve(
                                    NIOAsyncChannel.reading(connection), answers, requests, signal)
                            }
                        }
                    }
                }
            }
            defer { group.cancelAll() }
            return try await body(server)
        }
    }

    private static func serve(
        _ connection: NIOAsyncChannel<ByteBuffer, ByteBuffer>, _ answers: [[Step]],
        _ requests: Requests, _ gone: AsyncStream<Void>.Continuation
    ) async throws {
        try await connection.executeThenClose { inbound, outbound in
            var iterator = inbound.makeAsyncIterator()
            var text = ""
            while !isWhole(text), let buffer = try await iterator.next() {
                text += String(buffer: buffer)
            }
            let number = await requests.all.count
            await requests.append(text)
            for step in answers[min(number, answers.count - 1)] {
                switch step {
                case .send(let text): try await outbound.write(ByteBuffer(string: text))
                case .wait(let time): try await Task.sleep(for: time)
                case .hang:
                    // A reset is as good an end as any.
                    while (try? await iterator.next()) != nil {}
                    gone.yield()
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

    /// The endpoint under test, talking to this server.
    @discardableResult
    func withEndpoint<Result>(
        dimensionCount: Int? = nil, batchSize: Int = 32,
        _ body: (ModelEndpoint) async throws -> Result
    ) async throws -> Result {
        let client = OutboundHTTP.makeClient()
        let address = ModelEndpoint.Address(
            http: OutboundHTTP(client: client, peer: "model", logger: Logger(label: "test")),
            baseURL: url, apiKey: "secret")
        let endpoint = ModelEndpoint(
            chat: address, passages: address, dimensionCount: dimensionCount,
            batchSize: batchSize)
        do {
            let result = try await body(endpoint)
            try await client.shutdown()
            return result
        } catch {
            try await client.shutdown()
            throw error
        }
    }
}

extension ModelServer.Step {
    static func json(_ body: String, status: String = "200 OK", headers: String = "") -> Self {
        .send(
            "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\n\(headers)"
                + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)")
    }

    static let eventStreamHead = Self.send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
            + "Connection: close\r\n\r\n")

    static func piece(_ text: String) -> Self {
        .send(#"data: {"choices":[{"index":0,"delta":{"content":"\#(text)"}}]}"# + "\n\n")
    }

    static func finish(_ reason: String = "stop") -> Self {
        .send(#"data: {"choices":[{"delta":{},"finish_reason":"\#(reason)"}]}"# + "\n\n")
    }

    static let usage = Self.send(
        #"data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}}"# + "\n\n")
    static let done = Self.send("data: [DONE]\n\n")
}
