import Identity
import NIOHTTP1
import TestSupport
import Testing

@testable import Gateway

@Suite("Forwarding")
struct ForwardingTests {
    @Test("gives each route to its service, under every prefix, and keeps the query")
    func routes() async throws {
        let services = [EchoService(name: "chat"), .init(name: "ingest"), .init(name: "admin")]
        try await RawServer.run(services[0].handle) { chat in
            try await RawServer.run(services[1].handle) { ingest in
                try await RawServer.run(services[2].handle) { admin in
                    let ports = [
                        Upstream.chat: [chat.port], .ingest: [ingest.port], .admin: [admin.port],
                    ]
                    try await GatewayFixture.run(upstreams: ports) { gateway in
                        try await expectEveryRoute(gateway)
                    }
                }
            }
        }
    }

    private func expectEveryRoute(_ gateway: GatewayFixture) async throws {
        for route in Routes.all {
            let upstream: Upstream
            switch route.destination {
            case .own: continue
            case .upstream(let one): upstream = one
            case .byBody(let multipart, let otherwise):
                upstream = otherwise
                let answer = try await gateway.ask(
                    route.method.rawValue, route.pattern,
                    headers: ["Content-Type: Multipart/form-data; boundary=x"])
                #expect(answer?.body.hasPrefix("\(multipart.rawValue) ") == true)
            }
            let path = route.pattern.split(separator: "/")
                .map { $0.hasPrefix("{") ? "a-b.1" : String($0) }.joined(separator: "/")
            for prefix in ["/", "/api/", "/api/assistant/"] {
                let answer = try await gateway.ask(
                    route.method.rawValue, prefix + path + "?x=%2F&y")
                let line = "\(upstream.rawValue) \(route.method.rawValue) /\(path)?x=%2F&y HTTP/1.1"
                #expect(answer?.body == line)
            }
        }
    }

    @Test("answers unknown paths and methods itself, and nothing of them reaches a service")
    func unknown() async throws {
        let service = EchoService()
        try await RawServer.run(service.handle) { chat in
            try await GatewayFixture.run(upstreams: [.chat: [chat.port]]) { gateway in
                let unknown = [
                    "/", "/nothing", "/api", "/api/api/user", "/apichat", "/internal/ready",
                    "/conversations/", "/conversations/..", "/conversations/a%2Fb",
                    "/conversations/a/b", "/chat/", "//chat", "/conversations/.",
                    "/conversations/a;b", "/Chat", "/api/assistant", "/api/internal/health",
                ]
                for path in unknown {
                    let answer = try await gateway.ask("GET", path)
                    #expect(answer?.status == 404, "\(path)")
                    #expect(answer?.value("content-type") == "application/problem+json")
                }
                let wrong = try await gateway.ask("PUT", "/api/conversations/x")
                #expect(wrong?.status == 405)
                #expect(wrong?.value("allow") == "GET, PATCH, DELETE")
                let head = try await gateway.ask("HEAD", "/health", withToken: false)
                #expect(head?.status == 405)
                #expect(service.count == 0)
            }
        }
    }

    @Test("tells the service who asks by its own token alone")
    func strips() async throws {
        let service = EchoService()
        try await RawServer.run(service.handle) { chat in
            try await GatewayFixture.run(upstreams: [.chat: [chat.port]]) { gateway in
                let answer = try await gateway.ask(
                    "GET", "/conversations",
                    headers: [
                        "Cookie: session=1", "X-Auth-Request-User: root",
                        "X-Forwarded-User: root", "x_forwarded_email: root", "X-Internal-Sub: r",
                        "X_Auth_Request_Groups: admins", "Connection: X-Secret, keep-alive",
                        "X-Secret: 1", "TE: trailers", "Forwarded: for=1", "X-Kept: yes",
                        "X-Request-Id: my-id.1", "Accept-Language: it",
                    ])
                let request = try #require(service.last)
                let names = Set(request.headers.map(\.name))
                #expect(
                    names == [
                        "authorization", "x-request-id", "host", "x-kept", "accept-language",
                        "forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host",
                        "traceparent",
                    ])
                #expect(request.values("x-request-id") == ["my-id.1"])
                #expect(request.values("host") == ["127.0.0.1:\(chat.port)"])
                let token = try #require(request.value("authorization")).dropFirst("Bearer ".count)
                let verifier = try InternalTokenVerifier(
                    publicKeys: [gateway.publicKey], audience: "chat")
                let caller = try await verifier.verify(String(token))
                #expect(caller.sub == "alice")
                #expect(answer?.values("x-request-id") == ["my-id.1"])
                #expect(answer?.value("server") == nil)
                #expect(answer?.value("x-content-type-options") == "nosniff")
                #expect(answer?.value("x-frame-options") == "DENY")
                #expect(answer?.value("referrer-policy") == "no-referrer")
                #expect(answer?.value("content-security-policy")?.isEmpty == false)
            }
        }
    }

    @Test("keeps a service's own content security policy")
    func policy() async throws {
        try await RawServer.run { connection in
            _ = await connection.message()
            try await connection.send(
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Security-Policy: sandbox\r\n\r\n")
        } _: { ingest in
            try await GatewayFixture.run(upstreams: [.ingest: [ingest.port]]) { gateway in
                let answer = try await gateway.ask("GET", "/attachments/x/raw")
                #expect(answer?.values("content-security-policy") == ["sandbox"])
            }
        }
    }

    @Test("makes a request id when the client's is not sane")
    func requestIDs() async throws {
        try await GatewayFixture.run { gateway in
            for id in ["a b", "ü", String(repeating: "x", count: 129), "<script>"] {
                let answer = try await gateway.ask(
                    "GET", "/health", headers: ["X-Request-Id: \(id)"], withToken: false)
                #expect(answer?.value("x-request-id")?.count == 36)
            }
        }
    }

    @Test("shares requests among replicas and goes past one that is down")
    func replicas() async throws {
        let (one, other) = (EchoService(name: "one"), EchoService(name: "other"))
        try await RawServer.run(one.handle) { first in
            try await RawServer.run(other.handle) { second in
                let ports = [first.port, second.port, 1]
                try await GatewayFixture.run(upstreams: [.chat: ports]) { gateway in
                    for _ in 0..<30 {
                        let answer = try await gateway.ask("GET", "/conversations")
                        #expect(answer?.status == 200)
                    }
                    #expect(one.count >= 5)
                    #expect(other.count >= 5)
                }
            }
        }
    }
}
