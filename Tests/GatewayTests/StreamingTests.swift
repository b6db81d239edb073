import NIOCore
import TestSupport
import Testing

@testable import Gateway

@Suite("Streaming")
struct StreamingTests {
    @Test("passes events on one by one, as they happen")
    func events() async throws {
        let (steps, next) = AsyncStream.makeStream(of: Void.self)
        try await RawServer.run { connection in
            _ = await connection.message()
            try await connection.send(
                """
                HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\
                Transfer-Encoding: chunked\r\n\r\n
                """)
            var number = 0
            // Each event is sent only after the client saw the one before.
            for await _ in steps {
                number += 1
                try await connection.send("8\r\ndata: \(number)\n\r\n")
                if number == 5 { break }
            }
            try await connection.send("f\r\ndata: [DONE]\n\r\n\r\n0\r\n\r\n")
        } _: { chat in
            try await GatewayFixture.run(upstreams: [.chat: [chat.port]]) { gateway in
                let token = try await gateway.issuer.token()
                try await gateway.connect { connection in
                    try await connection.send(
                        request("POST", "/chat", token, "Content-Length: 2", body: "{}"))
                    let head = await connection.head()
                    #expect(head?.value("content-type") == "text/event-stream")
                    for number in 1...5 {
                        next.yield()
                        #expect(await connection.chunk() == "data: \(number)\n")
                    }
                    #expect(await connection.chunk() == "data: [DONE]\n\r\n")
                    #expect(await connection.chunk() == "")
                }
            }
        }
    }

    @Test("closes the service's connection at once when the client goes")
    func clientGone() async throws {
        let (ends, ended) = AsyncStream.makeStream(of: Bool.self)
        try await RawServer.run { connection in
            _ = await connection.message()
            try await connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            try await connection.send("1\r\nx\r\n")
            _ = await connection.rest()
            ended.yield(connection.isEnded)
        } _: { chat in
            try await GatewayFixture.run(upstreams: [.chat: [chat.port]]) { gateway in
                let token = try await gateway.issuer.token()
                try await gateway.connect { connection in
                    try await connection.send(request("GET", "/conversations", token))
                    _ = await connection.head()
                    #expect(await connection.chunk() == "x")
                }
                #expect(await ends.first { _ in true } == true)
            }
        }
    }

    @Test("closes the service's connection also when the client goes before any answer")
    func clientGoneEarly() async throws {
        let (ends, ended) = AsyncStream.makeStream(of: Bool.self)
        let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
        try await RawServer.run { connection in
            _ = await connection.message()
            arrived.yield()
            _ = await connection.rest()
            ended.yield(connection.isEnded)
        } _: { chat in
            try await GatewayFixture.run(upstreams: [.chat: [chat.port]]) { gateway in
                let token = try await gateway.issuer.token()
                try await gateway.connect { connection in
                    try await connection.send(
                        request("POST", "/chat", token, "Content-Length: 2", body: "{}"))
                    _ = await arrivals.first { _ in true }
                }
                #expect(await ends.first { _ in true } == true)
            }
        }
    }

    @Test(
        "breaks the client's connection when the service's breaks inside a body",
        arguments: ["Content-Length: 100", "Transfer-Encoding: chunked"])
    func cut(framing: String) async throws {
        try await RawServer.run { connection in
            _ = await connection.message()
            try await connection.send("HTTP/1.1 200 OK\r\n\(framing)\r\n\r\n5\r\nhello\r\n")
        } _: { chat in
            try await GatewayFixture.run(upstreams: [.chat: [chat.port]]) { gateway in
                let answer = try await gateway.ask("GET", "/conversations")
                #expect(answer?.status == 200)
                #expect(answer?.isWhole == false)
            }
        }
    }

    @Test("lets a slow client slow the service down instead of keeping its answer in memory")
    func slowClient() async throws {
        let sent = Shared(0)
        let chunk = ByteBuffer(repeating: 0x78, count: 64 * 1024)
        let chunkCount = 1600
        try await RawServer.run { connection in
            _ = await connection.message()
            try await connection.send(
                "HTTP/1.1 200 OK\r\nContent-Length: \(chunk.readableBytes * chunkCount)\r\n\r\n")
            for _ in 0..<chunkCount {
                try await connection.send(chunk)
                sent.withLock { $0 += 1 }
            }
            _ = await connection.rest()
        } _: { ingest in
            try await GatewayFixture.run(upstreams: [.ingest: [ingest.port]]) { gateway in
                let token = try await gateway.issuer.token()
                try await gateway.connect { connection in
                    try await connection.send(request("GET", "/attachments/x/raw", token))
                    _ = await connection.head()
                    let stalledAt = await settled { sent.withLock { $0 } }
                    // What the systems' socket buffers take, some 12 MB, and not 100.
                    #expect(stalledAt < 400)
                    #expect(stalledAt > 0)
                    var count = 0
                    while count < chunk.readableBytes * chunkCount,
                        let bytes = await connection.some()
                    {
                        count += bytes.readableBytes
                    }
                    #expect(count == chunk.readableBytes * chunkCount)
                }
            }
        }
    }

    @Test("lets a slow service slow the client down instead of keeping its upload in memory")
    func slowService() async throws {
        let (permits, permit) = AsyncStream.makeStream(of: Void.self)
        let chunk = ByteBuffer(repeating: 0x78, count: 64 * 1024)
        let chunkCount = 1600
        let byteCount = chunk.readableBytes * chunkCount
        try await RawServer.run { connection in
            _ = await connection.head()
            _ = await permits.first { _ in true }
            var count = 0
            while count < byteCount, let bytes = await connection.some() {
                count += bytes.readableBytes
            }
            let body = "\(count)"
            try await connection.send(
                "HTTP/1.1 201 Created\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        } _: { ingest in
            try await GatewayFixture.run(
                upstreams: [.ingest: [ingest.port]], settings: ["MAX_UPLOAD_MB": "200"]
            ) { gateway in
                let head = request(
                    "POST", "/upload", try await gateway.issuer.token(),
                    "Content-Length: \(byteCount)")
                let sent = Shared(0)
                let stalledAt = Shared(0)
                try await gateway.connect { connection in
                    try await connection.send(head)
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask {
                            let count = await settled { sent.withLock { $0 } }
                            stalledAt.withLock { $0 = count }
                            permit.yield()
                        }
                        for _ in 0..<chunkCount {
                            try await connection.send(chunk)
                            sent.withLock { $0 += 1 }
                        }
                        try await group.waitForAll()
                    }
                    let answer = await connection.message()
                    #expect(answer?.status == 201)
                    #expect(answer?.body == "\(byteCount)")
                }
                #expect(stalledAt.withLock { $0 } < 400)
            }
        }
    }

    @Test("gives a client that is still sending the answer it would otherwise wait for")
    func earlyAnswer() async throws {
        try await RawServer.run { connection in
            _ = await connection.head()
            try await connection.send(
                "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig")
            _ = await connection.rest()
        } _: { ingest in
            try await GatewayFixture.run(upstreams: [.ingest: [ingest.port]]) { gateway in
                let token = try await gateway.issuer.token()
                try await gateway.connect { connection in
                    try await connection.send(
                        request("POST", "/upload", token, "Content-Length: 1000000"))
                    try await connection.send("the beginning")
                    let answer = await connection.message()
                    #expect(answer?.status == 413)
                    #expect(answer?.body == "big")
                    #expect(answer?.value("connection") == "close")
                }
            }
        }
    }

    @Test("lets a client that asked for leave send its body")
    func continues() async throws {
        let service = EchoService()
        try await RawServer.run(service.handle) { ingest in
            try await GatewayFixture.run(upstreams: [.ingest: [ingest.port]]) { gateway in
                let token = try await gateway.issuer.token()
                try await gateway.connect { connection in
                    try await connection.send(
                        request(
                            "POST", "/upload", token, "Content-Length: 3", "Expect: 100-continue"))
                    #expect(await connection.head()?.status == 100)
                    try await connection.send("abc")
                    #expect(await connection.message()?.status == 200)
                    #expect(service.last?.body == "abc")
                }
            }
        }
    }
}

/// The value once it has not changed for a while.
func settled(_ value: @Sendable () -> Int) async -> Int {
    var last = -1
    while true {
        let now = value()
        if now == last, now > 0 { return now }
        last = now
        // Cancellation only makes the test look sooner.
        try? await Task.sleep(for: .milliseconds(400))
    }
}

/// A request's bytes.
func request(
    _ method: String, _ path: String, _ token: String, _ headers: String..., body: String = ""
) -> String {
    let lines = [
        "\(method) \(path) HTTP/1.1", "Host: gateway.test", "Authorization: Bearer \(token)",
    ]
    return (lines + headers).joined(separator: "\r\n") + "\r\n\r\n" + body
}
