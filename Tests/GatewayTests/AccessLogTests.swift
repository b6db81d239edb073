import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceRuntime
import TestSupport
import Testing

@testable import Gateway

@Suite("The access log")
struct AccessLogTests {
    @Test("has a line of JSON for each request, without its query, soon after the answer")
    func lines() async throws {
        let written = Shared("")
        let output = LogOutput { bytes in
            written.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
        }
        let service = EchoService()
        try await RawServer.run(service.handle) { chat in
            try await GatewayFixture.run(upstreams: [.chat: [chat.port]], accessLog: output) {
                gateway in
                let id = "abc-1"
                _ = try await gateway.ask(
                    "GET", "/conversations?q=secret", headers: ["X-Request-Id: \(id)"])
                _ = try await gateway.ask(
                    "GET", "/" + String(repeating: "x", count: 400), withToken: false)
                try await eventually { written.withLock { $0.filter { $0 == "\n" }.count } >= 2 }
            }
        }
        let lines = written.withLock { $0.split(separator: "\n") }
        #expect(lines.count == 2)
        for line in lines { #expect(line.hasPrefix(#"{"time":"20"#) && line.hasSuffix("}")) }
        // Each event loop has a log of its own: they come in any order.
        let first = String(lines.first { $0.contains("abc-1") } ?? "")
        for part in [
            #""service":"gateway","message":"request","client.address":"127.0.0.1""#,
            #""http.method":"GET","http.path":"/conversations","http.response_bytes":"#,
            #""http.status":"200","request.id":"abc-1","span.id":""#, #""upstream":"chat"}"#,
        ] {
            #expect(first.contains(part), "\(part)")
        }
        #expect(!first.contains("secret"))
        let second = String(lines.first { $0.contains(#""http.status":"404""#) } ?? "")
        #expect(second.contains(#"/\#(String(repeating: "x", count: 255))","#))
    }

    @Test("is written whole when the gateway stops, and at once when there is much of it")
    func stopping() async throws {
        let written = Shared(0)
        let output = LogOutput { bytes in
            written.withLock { $0 += bytes.count { $0 == UInt8(ascii: "\n") } }
        }
        let group = MultiThreadedEventLoopGroup.singleton
        let eventLoop = group.next()
        try await eventLoop.submit {
            let log = AccessLog(eventLoop: eventLoop, output: output)
            var random = BufferedRandomness()
            let record = RequestRecord(
                head: HTTPRequestHead(version: .http1_1, method: .GET, uri: "/health"),
                client: Client(address: nil, scheme: "http", host: "a"),
                crossSite: CrossSite(publicOrigins: [], allowedOrigins: []), random: &random)
            for _ in 0..<200 { log.add(record) }
            let gathered = written.withLock { $0 }
            #expect((1..<200).contains(gathered))
            log.flush()
            #expect(written.withLock { $0 } == 200)
        }.get()
    }
}
