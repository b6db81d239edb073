import NIOCore
import TestSupport
import Testing

@testable import Gateway

@Suite("Limits")
struct LimitTests {
    @Test("a bucket gives a minute's worth at once, then one by one")
    func bucket() throws {
        let limit = try #require(RateLimit<String>(perMinute: 60))
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        for _ in 0..<60 { #expect(limit.take("alice", now: start) == nil) }
        #expect(limit.take("alice", now: start) == 1)
        #expect(limit.take("bob", now: start) == nil)
        #expect(limit.take("alice", now: start + .milliseconds(999)) == 1)
        #expect(limit.take("alice", now: start + .seconds(1)) == nil)
        #expect(limit.take("alice", now: start + .seconds(1)) == 1)
        for _ in 0..<60 { #expect(limit.take("alice", now: start + .seconds(200)) == nil) }
        #expect(limit.take("alice", now: start + .seconds(200)) == 1)
        #expect(RateLimit<String>(perMinute: 0) == nil)
    }

    @Test("a slow bucket says how long it takes")
    func slowBucket() throws {
        let limit = try #require(RateLimit<String>(perMinute: 2))
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        #expect(limit.take("alice", now: start) == nil)
        #expect(limit.take("alice", now: start) == nil)
        #expect(limit.take("alice", now: start) == 30)
        #expect(limit.take("alice", now: start + .seconds(29)) == 1)
    }

    @Test("a flood of keys is forgotten as a whole, and refuses nobody")
    func manyKeys() throws {
        let limit = try #require(RateLimit<Int>(perMinute: 1))
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        let isAnyRefused = (0..<RateLimit<Int>.keyCountMax).contains {
            limit.take($0, now: start) != nil
        }
        #expect(!isAnyRefused)
        #expect(limit.take(0, now: start) == 60)
        #expect(limit.take(-1, now: start) == nil)
        #expect(limit.take(0, now: start) == nil)
        #expect(limit.take(-1, now: start) == 60)
    }

    @Test("a member's requests are counted, one who has used them up waits, others do not")
    func user() async throws {
        try await GatewayFixture.run(settings: ["REQUESTS_PER_USER": "3"]) { gateway in
            for _ in 0..<3 { #expect(try await gateway.ask("GET", "/ping")?.status == 200) }
            let refused = try await gateway.ask("GET", "/ping")
            #expect(refused?.status == 429)
            let seconds = refused?.value("retry-after").flatMap { Int($0) } ?? 0
            #expect((1...20).contains(seconds))
            #expect(refused?.body.contains(#""code":"too_many_requests""#) == true)
            let bob = try await gateway.issuer.token(subject: "bob")
            let other = try await gateway.ask(
                "GET", "/ping", headers: ["Authorization: Bearer \(bob)"], withToken: false)
            #expect(other?.status == 200)
        }
    }

    @Test("an address without a valid token is counted; health is free, and a member passes")
    func address() async throws {
        try await GatewayFixture.run(settings: ["REQUESTS_PER_ADDRESS": "3"]) { gateway in
            let asks: [(path: String, headers: [String], status: Int)] = [
                ("/ping", [], 401), ("/ping", ["Authorization: Bearer x"], 401),
                ("/nothing", [], 404),
                ("/ping", [], 429), ("/nothing", [], 429),
                ("/ping", ["Authorization: Bearer x"], 429), ("/health", [], 200),
            ]
            for (path, headers, status) in asks {
                let answer = try await gateway.ask(
                    "GET", path, headers: headers, withToken: false)
                #expect(answer?.status == status, "\(path)")
            }
            #expect(try await gateway.ask("GET", "/ping")?.status == 200)
        }
    }

    @Test("behind a trusted proxy each client is counted alone")
    func proxied() async throws {
        let settings = ["REQUESTS_PER_ADDRESS": "1", "TRUSTED_PROXIES": "127.0.0.1"]
        try await GatewayFixture.run(settings: settings) { gateway in
            let asks = [
                ("198.51.100.1", 401), ("198.51.100.1", 429), ("198.51.100.2", 401),
                ("2001:db8::1", 401), ("2001:db8::2", 429), ("2001:db8:0:1::1", 401),
            ]
            for (address, status) in asks {
                let answer = try await gateway.ask(
                    "GET", "/ping", headers: ["X-Forwarded-For: \(address)"], withToken: false)
                #expect(answer?.status == status, "\(address)")
            }
        }
    }

    @Test("a member's open streams are counted until they end")
    func streams() async throws {
        try await RawServer.run { connection in
            _ = await connection.message()
            try await connection.send(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
            _ = await connection.rest()
        } _: { chat in
            try await GatewayFixture.run(
                upstreams: [.chat: [chat.port]], settings: ["STREAMS_PER_USER": "1"]
            ) { gateway in
                let token = try await gateway.issuer.token()
                let asked = request("GET", "/chat/a/stream", token)
                try await gateway.connect { first in
                    try await first.send(asked)
                    #expect(await first.head()?.status == 200)
                    let refused = try await gateway.ask("GET", "/chat/b/stream")
                    #expect(refused?.status == 429)
                    #expect(refused?.body.contains(#""code":"too_many_streams""#) == true)
                    #expect(try await gateway.ask("GET", "/ping")?.status == 200)
                }
                try await eventually {
                    try await gateway.connect { second in
                        try await second.send(asked)
                        return await second.head()?.status == 200
                    }
                }
            }
        }
    }

    @Test(
        "a connection beyond an address's, or beyond all, is told so",
        arguments: [
            ("CONNECTIONS_PER_ADDRESS", 429), ("CONNECTIONS_MAX", 503),
        ])
    func connections(setting: String, status: Int) async throws {
        try await GatewayFixture.run(settings: [setting: "2"]) { gateway in
            try await gateway.connect { first in
                try await gateway.connect { second in
                    for connection in [first, second] {
                        try await connection.send("GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
                        #expect(await connection.message()?.status == 200)
                    }
                    try await gateway.connect { third in
                        let refused = await third.message()
                        #expect(refused?.status == status)
                        #expect(refused?.body.contains(#""code":"too_many_connections""#) == true)
                        #expect(await third.rest() == "")
                    }
                }
            }
            try await eventually {
                try await gateway.ask("GET", "/health", withToken: false)?.status == 200
            }
        }
    }

    @Test("a body that says it is too large is refused before it is read")
    func declared() async throws {
        let service = EchoService()
        let sizes = ["MAX_BODY_KB": "64", "MAX_UPLOAD_MB": "1"]
        try await RawServer.run(service.handle) { port in
            try await GatewayFixture.run(
                upstreams: [.chat: [port.port], .ingest: [port.port], .admin: [port.port]],
                settings: sizes
            ) { gateway in
                let token = try await gateway.issuer.token()
                let form = "Content-Type: multipart/form-data; boundary=x"
                let cases: [(String, [String], Int, String)] = [
                    ("/chat", [], 65_537, "body_too_large"),
                    ("/chat", [], .max, "body_too_large"),
                    ("/upload", [form], (1 << 20) + 65_537, "file_too_large"),
                    ("/admin/uploads", [form], (1 << 20) + 65_537, "file_too_large"),
                    ("/admin/uploads", [], 65_537, "body_too_large"),
                ]
                for (path, headers, count, code) in cases {
                    try await gateway.connect { connection in
                        let lines =
                            [
                                "POST \(path) HTTP/1.1", "Host: a",
                                "Authorization: Bearer \(token)", "Content-Length: \(count)",
                            ] + headers
                        try await connection.send(lines.joined(separator: "\r\n") + "\r\n\r\n")
                        let answer = await connection.message()
                        #expect(answer?.status == 413, "\(path) \(count)")
                        #expect(answer?.body.contains("\"code\":\"\(code)\"") == true)
                    }
                }
                #expect(service.count == 0)
                let whole = String(repeating: "x", count: 65_536)
                #expect(try await gateway.ask("POST", "/chat", body: whole)?.status == 200)
            }
        }
    }

    @Test(
        "a body without a length is cut off where it becomes too large, and the service sees no end"
    )
    func chunked() async throws {
        let received = Shared<[RawMessage]>([])
        try await RawServer.run { connection in
            if let message = await connection.message() { received.withLock { $0.append(message) } }
        } _: { chat in
            try await GatewayFixture.run(
                upstreams: [.chat: [chat.port]], settings: ["MAX_BODY_KB": "64"]
            ) { gateway in
                let token = try await gateway.issuer.token()
                try await gateway.connect { connection in
                    let chunk = String(repeating: "x", count: 40_000)
                    let framed = String(40_000, radix: 16) + "\r\n\(chunk)\r\n"
                    try await connection.send(
                        "POST /chat HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\n"
                            + "Transfer-Encoding: chunked\r\n\r\n\(framed)\(framed)0\r\n\r\n")
                    let answer = await connection.message()
                    #expect(answer?.status == 413)
                    #expect(answer?.body.contains(#""code":"body_too_large""#) == true)
                }
                try await eventually { received.withLock { $0.count } == 1 }
                #expect(received.withLock { $0.first?.isWhole } == false)
            }
        }
    }

    @Test("a head that does not end is not waited for")
    func slowHead() async throws {
        var limits = RequestLimits()
        limits.requestHead = .milliseconds(700)
        try await GatewayFixture.run(limits: limits) { gateway in
            try await gateway.connect { connection in
                try await connection.send("GET /health HTTP/1.1\r\nHost: a\r\n")
                let answer = await connection.message()
                #expect(answer?.status == 408)
                #expect(answer?.body.contains(#""code":"request_timeout""#) == true)
                #expect(await connection.rest() == "")
            }
            try await gateway.connect { connection in
                try await connection.send("GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(await connection.message()?.status == 200)
                try await connection.send("GET /hea")
                #expect(await connection.message()?.status == 408)
            }
        }
    }

    @Test("the rest of a refused request's body is no head that takes its time")
    func skippedBody() async throws {
        var limits = RequestLimits()
        limits.requestHead = .milliseconds(700)
        try await GatewayFixture.run(limits: limits) { gateway in
            try await gateway.connect { connection in
                try await connection.send(
                    "POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
                #expect(await connection.message()?.status == 404)
                try await connection.send("hello")
                // Two looks at all connections.
                try await Task.sleep(for: .seconds(2.2))
                try await connection.send("GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(await connection.message()?.status == 200)
            }
        }
    }

    @Test("a request as a whole has an end; an event stream has not")
    func wholeRequest() async throws {
        var limits = RequestLimits()
        limits.request = .seconds(2)
        try await RawServer.run { connection in
            let request = await connection.message()
            let isStream = request?.startLine.contains("stream") == true
            let type = isStream ? "text/event-stream" : "text/plain"
            try await connection.send(
                "HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nContent-Length: 10\r\n\r\n")
            if isStream { try await Task.sleep(for: .seconds(5)) }
            if isStream { try await connection.send("data: 1\n\n\n") }
            _ = await connection.rest()
        } _: { chat in
            try await GatewayFixture.run(upstreams: [.chat: [chat.port]], limits: limits) {
                gateway in
                async let stream = gateway.ask("GET", "/chat/a/stream")
                let cut = try await gateway.ask("GET", "/conversations")
                #expect(cut?.isWhole == false)
                #expect(try await stream?.isWhole == true)
            }
        }
    }
}
