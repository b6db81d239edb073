import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import OutboundHTTP
import TestSupport
import Testing

@Suite("Outbound HTTP")
struct OutboundHTTPTests {
    @discardableResult
    private func with<Result>(
        _ body: (OutboundHTTP) async throws -> Result
    ) async throws -> Result {
        let client = OutboundHTTP.makeClient()
        do {
            let result = try await body(
                OutboundHTTP(client: client, peer: "peer", logger: Logger(label: "test")))
            try await client.shutdown()
            return result
        } catch {
            try await client.shutdown()
            throw error
        }
    }

    private func request(
        _ url: String, deadline: Duration = .seconds(10), attempts: Int = 1, bytes: Int = 1000
    ) -> OutboundHTTP.Request {
        OutboundHTTP.Request(
            method: .GET, url: url, deadline: deadline, responseByteCountMax: bytes,
            attemptCountMax: attempts)
    }

    @Test("gives back any status as an answer")
    func statuses() async throws {
        try await ModelServer.run([.json("{}", status: "404 Not Found")]) { server in
            try await with { http in
                let answer = try await http.send(request(server.url))
                #expect(answer.status == 404)
                #expect(
                    throws: OutboundError.refused(peer: "peer", status: 404, retryAfter: nil)
                ) { try answer.requireSuccess() }
            }
        }
    }

    @Test("says that nobody is there, and does not wait for its deadline")
    func unreachable() async throws {
        try await with { http in
            await #expect(throws: OutboundError.unreachable(peer: "peer")) {
                try await http.send(request("http://127.0.0.1:1/"))
            }
        }
    }

    @Test("gives up at the deadline when the peer is silent, before or within its answer")
    func deadline() async throws {
        let within = ModelServer.Step.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        for steps in [[ModelServer.Step.hang], [within, .hang]] {
            try await ModelServer.run(steps) { server in
                try await with { http in
                    await #expect(throws: OutboundError.timedOut(peer: "peer")) {
                        try await http.send(request(server.url, deadline: .milliseconds(300)))
                    }
                }
            }
        }
    }

    @Test("takes no more bytes than allowed, declared or not")
    func bytes() async throws {
        let undeclared = ModelServer.Step.send("HTTP/1.1 200 OK\r\n\r\n12345678901")
        for step in [ModelServer.Step.json("12345678901"), undeclared] {
            try await ModelServer.run([step]) { server in
                try await with { http in
                    await #expect(throws: OutboundError.tooLarge(peer: "peer")) {
                        try await http.send(request(server.url, bytes: 10))
                    }
                }
            }
        }
    }

    @Test("calls an answer that was cut broken")
    func cut() async throws {
        let half = ModelServer.Step.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        try await ModelServer.run([half]) { server in
            try await with { http in
                await #expect(throws: OutboundError.broken(peer: "peer")) {
                    try await http.send(request(server.url))
                }
            }
        }
    }

    @Test("tries again where that is allowed, and once where it is not")
    func retries() async throws {
        let busy = ModelServer.Step.json("{}", status: "503 Service Unavailable")
        try await ModelServer.run([busy], [busy], [.json("{}")]) { server in
            try await with { http in
                let status1 = try await http.send(request(server.url)).status
                #expect(status1 == 503)
                #expect(await server.requests.all.count == 1)
                let status2 = try await http.send(request(server.url, attempts: 3)).status
                #expect(status2 == 200)
                #expect(await server.requests.all.count == 3)
            }
        }
    }

    @Test("waits as long as it is asked to, if that fits into the deadline")
    func retryAfter() async throws {
        let later = ModelServer.Step.json(
            "{}", status: "429 Too Many Requests", headers: "Retry-After: 1\r\n")
        try await ModelServer.run([later], [.json("{}")]) { server in
            try await with { http in
                let start = ContinuousClock.now
                let status3 = try await http.send(request(server.url, attempts: 2)).status
                #expect(status3 == 200)
                #expect(ContinuousClock.now - start >= .seconds(1))
            }
        }
        let muchLater = ModelServer.Step.json(
            "{}", status: "429 Too Many Requests", headers: "Retry-After: 20\r\n")
        try await ModelServer.run([muchLater], [.json("{}")]) { server in
            try await with { http in
                let request = request(server.url, attempts: 2)
                let status4 = try await http.send(request).status
                #expect(status4 == 429)
            }
        }
    }

    @Test("ends a stream after too long a silence, and the exchange with it")
    func idle() async throws {
        try await ModelServer.run(
            [.send("HTTP/1.1 200 OK\r\n\r\nfirst"), .hang]
        ) { server in
            try await with { http in
                let first = Signal()
                await #expect(throws: OutboundError.timedOut(peer: "peer")) {
                    try await http.stream(
                        request(server.url), idle: .seconds(3), total: .seconds(60)
                    ) { answer in
                        for try await part in answer.body {
                            if String(buffer: part) == "first" { first.fire() }
                        }
                    }
                }
                #expect(first.hasFired)
            }
            for await _ in server.goneClients { break }
        }
    }

    @Test("ends a stream that never ends, however lively it is")
    func total() async throws {
        let lively =
            [ModelServer.Step.send("HTTP/1.1 200 OK\r\n\r\n")]
            + (0..<100).flatMap { _ in [.send("x"), .wait(.milliseconds(50))] }
        try await ModelServer.run(lively) { server in
            try await with { http in
                await #expect(throws: OutboundError.timedOut(peer: "peer")) {
                    try await http.stream(
                        request(server.url), idle: .seconds(5), total: .milliseconds(500)
                    ) { answer in
                        for try await _ in answer.body {}
                    }
                }
            }
        }
    }

    @Test("hangs up when our task is cancelled")
    func cancelled() async throws {
        try await ModelServer.run([.hang]) { server in
            try await with { http in
                await withTaskGroup(of: Void.self) { group in
                    group.addTask {
                        await #expect(throws: OutboundError.cancelled) {
                            try await http.send(request(server.url))
                        }
                    }
                    while await server.requests.all.isEmpty { await Task.yield() }
                    group.cancelAll()
                }
                for await _ in server.goneClients { break }
            }
        }
    }

    @Test("reads Retry-After as seconds and as a date, and nothing else")
    func retryAfterForms() {
        func read(_ text: String) -> Duration? {
            HTTPHeaders([("Retry-After", text)]).retryAfter(now: 784_111_770)
        }
        #expect(read("7") == .seconds(7))
        #expect(read("Sun, 06 Nov 1994 08:49:37 GMT") == .seconds(7))
        #expect(read("Sat, 05 Nov 1994 08:49:37 GMT") == .zero)
        for text in ["-1", "soon", "Sun, 06 Foo 1994 08:49:37 GMT"] { #expect(read(text) == nil) }
    }
}
