import NIOCore
import TestSupport
import Testing

@testable import Gateway

@Suite("Connections")
struct ConnectionTests {
    @Test("are kept on both sides")
    func keepAlive() async throws {
        let service = EchoService()
        try await RawServer.run(service.handle) { chat in
            try await GatewayFixture.run(upstreams: [.chat: [chat.port]]) { gateway in
                let token = try await gateway.issuer.token()
                try await gateway.connect { connection in
                    for number in 1...20 {
                        try await connection.send(request("GET", "/sources/\(number)", token))
                        let answer = await connection.message()
                        #expect(answer?.body == "echo GET /sources/\(number) HTTP/1.1")
                    }
                }
                #expect(service.connectionCount.withLock { $0 } == 1)
            }
        }
    }

    @Test("answer pipelined requests in their order, ours and the services' mixed")
    func pipelining() async throws {
        let service = EchoService()
        try await RawServer.run(service.handle) { chat in
            try await GatewayFixture.run(upstreams: [.chat: [chat.port]]) { gateway in
                let token = try await gateway.issuer.token()
                var text = ""
                for number in 1...10 {
                    text += request("GET", "/sources/\(number)", token)
                    text += request(
                        "POST", "/chat", token, "Content-Length: 5", body: "hello")
                    text += request("GET", "/nothing/\(number)", token)
                    text += request("GET", "/health", token)
                }
                try await gateway.connect { [text] connection in
                    try await connection.send(text)
                    for number in 1...10 {
                        let first = await connection.message()
                        #expect(first?.body == "echo GET /sources/\(number) HTTP/1.1")
                        #expect(await connection.message()?.body == "echo POST /chat HTTP/1.1")
                        #expect(await connection.message()?.status == 404)
                        #expect(await connection.message()?.body == #"{"status":"ok"}"#)
                    }
                }
            }
        }
    }

    @Test("survive thousands of pipelined requests behind one that waits")
    func flood() async throws {
        try await GatewayFixture.run { gateway in
            let count = 3000
            let text =
                "GET /health/ready HTTP/1.1\r\nHost: a\r\n\r\n"
                + String(repeating: "GET /health HTTP/1.1\r\nHost: a\r\n\r\n", count: count)
            try await gateway.connect { connection in
                try await connection.send(text)
                #expect(await connection.message()?.status == 503)
                for _ in 0..<count { #expect(await connection.message()?.status == 200) }
            }
        }
    }

    @Test("that a service closed while unused are replaced without the client noticing")
    func stale() async throws {
        let connectionCount = Shared(0)
        try await RawServer.run { connection in
            // Answers once, keeps the connection, and drops it on the next request.
            let number = connectionCount.withLock { count in
                count += 1
                return count
            }
            _ = await connection.message()
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(number)")
            _ = await connection.message()
        } _: { chat in
            try await GatewayFixture.run(upstreams: [.chat: [chat.port]]) { gateway in
                let token = try await gateway.issuer.token()
                try await gateway.connect { connection in
                    for number in 1...5 {
                        try await connection.send(request("GET", "/conversations", token))
                        #expect(await connection.message()?.body == "\(number)")
                    }
                    try await connection.send(request("DELETE", "/conversations/x", token))
                    let unsafe = await connection.message()
                    #expect(unsafe?.status == 502)
                    #expect(unsafe?.value("retry-after") == "1")
                }
            }
        }
    }

    @Test("to a service that is down fail with a time to come back")
    func down() async throws {
        try await GatewayFixture.run { gateway in
            let answer = try await gateway.ask("GET", "/conversations")
            #expect(answer?.status == 503)
            #expect(answer?.value("retry-after") == "1")
            #expect(answer?.value("content-type") == "application/problem+json")
            #expect(answer?.body.contains(#""code":"service_unavailable""#) == true)
        }
    }

    @Test("to a service that says nothing end in 504")
    func silent() async throws {
        var limits = RequestLimits()
        limits.responseHead = .milliseconds(100)
        try await RawServer.run { connection in
            _ = await connection.rest()
        } _: { chat in
            try await GatewayFixture.run(upstreams: [.chat: [chat.port]], limits: limits) {
                gateway in
                let answer = try await gateway.ask("GET", "/conversations")
                #expect(answer?.status == 504)
                #expect(answer?.body.contains(#""code":"upstream_timeout""#) == true)
            }
        }
    }

    @Test("of an old client or one that asks for it are closed after the answer")
    func closes() async throws {
        try await GatewayFixture.run { gateway in
            for text in [
                "GET /health HTTP/1.0\r\n\r\n",
                "GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            ] {
                try await gateway.connect { connection in
                    try await connection.send(text)
                    let answer = await connection.message()
                    #expect(answer?.status == 200)
                    #expect(answer?.value("connection") == "close")
                    #expect(await connection.rest() == "")
                    #expect(connection.isEnded)
                }
            }
        }
    }

    @Test("with requests that are no HTTP, or too large, are told so and closed")
    func malformed() async throws {
        let long = String(repeating: "x", count: 9000)
        let cases: [(String, Int)] = [
            ("nonsense\r\n\r\n", 400),
            ("GET /health HTTP/1.1\r\n\r\n", 400),
            ("GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
            ("GET http://a/health HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            (
                "POST /chat HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                400
            ),
            (
                "POST /chat HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
                400
            ),
            ("GET /health?\(long) HTTP/1.1\r\nHost: a\r\n\r\n", 414),
            (
                "GET /health HTTP/1.1\r\nHost: a\r\n"
                    + String(repeating: "X: \(long)\r\n", count: 4) + "\r\n", 431
            ),
            (
                "GET /health HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: 101)
                    + "\r\n", 431
            ),
            // Heads that do not end.
            (
                "GET /health HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: 101),
                431
            ),
            ("GET /health HTTP/1.1\r\nX: " + String(repeating: "x", count: 50_000), 431),
            ("GET /" + String(repeating: "x", count: 50_000), 431),
        ]
        try await GatewayFixture.run { gateway in
            for (text, status) in cases {
                try await gateway.connect { connection in
                    try await connection.send(text)
                    let answer = await connection.message()
                    #expect(answer?.status == status, "\(text.prefix(60))")
                    #expect(answer?.value("content-type") == "application/problem+json")
                }
            }
        }
    }

    @Test("finish what is running when the gateway stops, and take nothing new")
    func stops() async throws {
        let (steps, next) = AsyncStream.makeStream(of: Void.self)
        let answer = Shared<RawMessage?>(nil)
        let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
        try await RawServer.run { connection in
            _ = await connection.message()
            arrived.yield()
            _ = await steps.first { _ in true }
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            _ = await connection.rest()
        } _: { chat in
            let (leaves, leaving) = AsyncStream.makeStream(of: Void.self)
            let (gateways, started) = AsyncStream.makeStream(of: GatewayFixture.self)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await GatewayFixture.run(
                        upstreams: [.chat: [chat.port]], drainMax: .seconds(10)
                    ) { gateway in
                        started.yield(gateway)
                        _ = await arrivals.first { _ in true }
                        leaving.yield()
                    }
                }
                group.addTask {
                    guard let gateway = await gateways.first(where: { _ in true }) else { return }
                    let whole = try await gateway.ask("GET", "/conversations")
                    answer.withLock { $0 = whole }
                }
                group.addTask {
                    // Well after the gateway began to stop, which nothing outside of it can see.
                    _ = await leaves.first { _ in true }
                    try await Task.sleep(for: .seconds(3))
                    next.yield()
                }
                try await group.waitForAll()
            }
        }
        let whole = answer.withLock { $0 }
        #expect(whole?.body == "ok")
        #expect(whole?.value("connection") == "close")
    }
}
