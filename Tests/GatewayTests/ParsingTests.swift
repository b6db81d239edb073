import TestSupport
import Testing

@testable import Gateway

/// Requests that two servers could understand differently, byte by byte.
@Suite("Strict parsing")
struct ParsingTests {
    /// `TOKEN` stands for a good one. What follows a request is meant to be smuggled: if the service
    /// behind the gateway sees `/conversations/smuggled`, it was.
    private static let smuggled =
        "GET /conversations/smuggled HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer TOKEN\r\n\r\n"

    private static func post(_ headers: String, _ body: String = "") -> String {
        "POST /chat HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer TOKEN\r\n\(headers)\r\n\r\n\(body)"
    }

    private static func get(_ target: String, _ headers: String = "Host: a") -> String {
        "GET \(target) HTTP/1.1\r\n\(headers)\r\nAuthorization: Bearer TOKEN\r\n\r\n"
    }

    /// Refused with this status, and none of it reaches a service.
    static let refused: [(String, Int)] = lengths + codings + lines + targets + hosts

    private static let lengths: [(String, Int)] = [
        "Content-Length: 5\r\nContent-Length: 6", "Content-Length: 5\r\nContent-Length: 5",
        "Content-Length: 5, 5", "Content-Length: 5,6", "Content-Length: -1", "Content-Length: +5",
        "Content-Length: 0x5", "Content-Length: 5.0", "Content-Length: 5e0", "Content-Length: five",
        "Content-Length:", "Content-Length: ", "Content-Length: 5 5", "Content-Length: \u{0665}",
        "Content-Length: 99999999999999999999", "Content-Length: 18446744073709551616",
        "Content-Length: 18446744073709551621", "Content-Length: 5\r\ncontent-length: 0",
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 0\r\nTransfer-Encoding: chunked", "Content-Length : 5",
        "Content-Length\t: 5", "Content-Length: 5;a=b", "Content-Length: \"5\"",
    ].map { (post($0, "hello" + smuggled), 400) }

    private static let codings: [(String, Int)] = [
        "Transfer-Encoding: gzip", "Transfer-Encoding: identity",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, gzip", "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunkedx", "Transfer-Encoding: \"chunked\"", "Transfer-Encoding:",
        "Transfer-Encoding: chunked;q=1", "Transfer-Encoding: ch\u{0}unked",
        "Transfer-Encoding: chunked,", "Transfer-Encoding: ,chunked",
        "Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked",
        "Transfer-Encoding: \u{B}chunked", "Transfer-Encoding: chunked\u{C}",
        "X: y\r\n Transfer-Encoding: chunked",
    ].map { (post($0, "0\r\n\r\n" + smuggled), 400) }

    private static let lines: [(String, Int)] = [
        (get("/conversations", "Host: a\nX: y"), 400),
        (get("/conversations", "Host: a\rX: y"), 400),
        (get("/conversations", "Host: a\r\nX: a\rb"), 400),
        (get("/conversations", "Host: a\r\nX: a\u{0}b"), 400),
        (get("/conversations", "Host: a\r\nX: a\u{1}b"), 400),
        (get("/conversations", "Host: a\r\nX: a\r\n b"), 400),
        (get("/conversations", "Host: a\r\nX: a\r\n\tb"), 400),
        (get("/conversations", "Host: a\r\n X: a"), 400),
        (get("/conversations", " Host: a"), 400),
        (get("/conversations", "Host: a\r\nX"), 400),
        (get("/conversations", "Host: a\r\n: y"), 400),
        (get("/conversations", "Host: a\r\nX y: z"), 400),
        (get("/conversations", "Host: a\r\nX\u{0}: z"), 400),
        (get("/conversations", "Host: a\r\nX(): z"), 400),
        (get("/conversations", "Host: a\r\nX\u{E9}: z"), 400),
        ("GET /conversations\r\nHost: a\r\n\r\n", 400),
        ("GET /conversations HTTP/2.0\r\nHost: a\r\n\r\n", 400),
        ("GET /conversations HTTP/1.2\r\nHost: a\r\n\r\n", 400),
        ("GET /conversations HTTP/1.1 x\r\nHost: a\r\n\r\n", 400),
        ("GET /conversations http/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /conversations HTTQ/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET\t/conversations HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /conver sations HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("G\u{0}T /conversations HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("get /conversations HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{FC}\u{3}\u{3}", 400),
    ]

    private static let targets: [(String, Int)] = [
        (get("http://a/conversations"), 400), (get("https://evil/conversations"), 400),
        (get("//evil/conversations"), 404), (get("*"), 400), (get("conversations"), 400),
        (get("/conversations#x"), 400), (get("/conversations\u{7F}"), 400),
        (get("/conversations\u{E9}"), 400),
        (get("/conversations/a%2Fb"), 404), (get("/conversations/%2e%2e"), 404),
        (get("/conversations/.."), 404), (get("/conversations/../admin/jobs"), 404),
        (get("/conversations/./x"), 404), (get("/conversations//x"), 404),
        (get("/conversations/x%00"), 404), (get("/conversations/x%0d%0aY"), 404),
        (get("/conversations/x;y"), 404), (get("/conversations\\x"), 404),
        (get("/%63onversations"), 404), (get("/api/../conversations"), 404),
        (get("/api/api/conversations"), 404), (get("/internal/ready"), 404),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 400),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("TRACE /conversations HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    ]

    private static let hosts: [(String, Int)] = [
        "X: y", "Host: a\r\nHost: a", "Host: a\r\nhost: b", "Host: a, b", "Host: a/b",
        "Host: user@a", "Host: a?b", "Host: a#b", "Host: a b", "Host: a\\b", "Host : a",
        "Host: " + String(repeating: "a", count: 300),
    ].map { (get("/conversations", $0), 400) }

    @Test("what is ambiguous is refused, and no service sees any of it")
    func refuses() async throws {
        let service = EchoService()
        try await RawServer.run(service.handle) { port in
            try await GatewayFixture.run(upstreams: [.chat: [port.port]]) { gateway in
                let token = try await gateway.issuer.token()
                for (text, status) in Self.refused {
                    try await gateway.connect { connection in
                        try await connection.send(text.replacing("TOKEN", with: token))
                        try await expectRefusal(connection, status, text)
                    }
                    let seen = service.seen.withLock { $0.map(\.startLine) }
                    #expect(seen == [], "\(text.debugDescription)")
                }
            }
        }
    }

    private func expectRefusal(
        _ connection: RawConnection, _ status: Int, _ text: String
    ) async throws {
        let answer = await connection.message()
        #expect(answer?.status == status, "\(text.debugDescription)")
        #expect(answer?.value("content-type") == "application/problem+json")
        guard status == 400 else { return }
        #expect(answer?.value("connection") == "close", "\(text.debugDescription)")
        #expect(await connection.rest() == "", "\(text.debugDescription)")
    }

    /// Chunks that end before they should, or do not: the body is cut, and nothing after it is a request.
    private static let brokenChunks = [
        "5\r\nhello\r\n0\r\n", "5\r\nhelloX\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n", "g\r\nhello\r\n0\r\n\r\n",
        "\r\nhello\r\n0\r\n\r\n", "5\nhello\r\n0\r\n\r\n",
        "FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n", "5\r\nhello0\r\n\r\n",
    ]

    @Test("a broken chunk ends the connection, and is no whole body to the service")
    func chunks() async throws {
        let received = Shared<[RawMessage]>([])
        try await RawServer.run { connection in
            while let message = await connection.message() {
                received.withLock { $0.append(message) }
            }
        } _: { port in
            try await GatewayFixture.run(upstreams: [.chat: [port.port]]) { gateway in
                let token = try await gateway.issuer.token()
                for text in Self.brokenChunks {
                    try await gateway.connect { connection in
                        let request = Self.post("Transfer-Encoding: chunked", text + Self.smuggled)
                        try await connection.send(request.replacing("TOKEN", with: token))
                        let answer = await connection.message()
                        #expect(answer == nil || answer?.status == 400, "\(text.debugDescription)")
                        #expect(await connection.rest() == "")
                    }
                    let whole = received.withLock { $0.filter(\.isWhole) }
                    #expect(whole.map(\.startLine) == [], "\(text.debugDescription)")
                }
            }
        }
    }

    @Test("what is unusual and clear goes through, as one request, in our words")
    func accepts() async throws {
        let cases: [(String, String, [String])] = [
            (Self.get("/conversations", "Host: a:8000"), "GET /conversations HTTP/1.1", []),
            (Self.get("/conversations", "Host: [::1]:80"), "GET /conversations HTTP/1.1", []),
            (Self.get("/conversations?q=a%2Fb%00"), "GET /conversations?q=a%2Fb%00 HTTP/1.1", []),
            (Self.get(" /conversations"), "GET /conversations HTTP/1.1", []),
            (Self.get("/api/conversations"), "GET /conversations HTTP/1.1", []),
            (Self.get("/conversations", "Host: a\r\nX:y"), "GET /conversations HTTP/1.1", []),
            (Self.get("/conversations", "Host: a\r\nX:\t y \t"), "GET /conversations HTTP/1.1", []),
            (Self.post("Content-Length: 0"), "POST /chat HTTP/1.1", ["content-length: 0"]),
            (Self.post("X: y"), "POST /chat HTTP/1.1", ["content-length: 0"]),
            (
                Self.post("Content-Length: 005", "hello"), "POST /chat HTTP/1.1",
                ["content-length: 005"]
            ),
            (
                Self.post("Transfer-Encoding: Chunked", "5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n"),
                "POST /chat HTTP/1.1", ["transfer-encoding: chunked"]
            ),
        ]
        let service = EchoService()
        try await RawServer.run(service.handle) { port in
            try await GatewayFixture.run(upstreams: [.chat: [port.port]]) { gateway in
                let token = try await gateway.issuer.token()
                for (text, startLine, headers) in cases {
                    try await gateway.connect { connection in
                        try await connection.send(text.replacing("TOKEN", with: token))
                        #expect(await connection.message()?.status == 200)
                    }
                    let seen = try #require(service.last)
                    #expect(seen.startLine == startLine)
                    let framing = seen.headers.filter {
                        $0.name == "content-length" || $0.name == "transfer-encoding"
                    }
                    #expect(framing.map { "\($0.name): \($0.value)" } == headers)
                }
                #expect(service.count == cases.count)
            }
        }
    }
}
