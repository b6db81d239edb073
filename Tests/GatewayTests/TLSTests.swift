import AsyncAlgorithms
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import TestSupport
import Testing

@testable import Gateway

@Suite("TLS and HTTP/2")
struct TLSTests {
    /// A gateway for `localhost`, and a client that trusts who signed for it.
    private func run(
        _ upstreams: [Upstream: [Int]], settings: [String: String] = [:],
        limits: RequestLimits? = nil, http1: Bool = false,
        _ body: (GatewayFixture, HTTPClient, TestCertificates) async throws -> Void
    ) async throws {
        let folder = NSTemporaryDirectory() + "tls-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let certificates = try TestCertificates(in: folder, named: "authority") {
            try runToEnd($0, $1)
        }
        let server = try certificates.server(hostName: "localhost")
        let files = ["TLS_CERTIFICATE_FILE": server.certificate, "TLS_KEY_FILE": server.key]
        var configuration = HTTPClient.Configuration()
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .file(certificates.authority)
        configuration.tlsConfiguration = tls
        configuration.httpVersion = http1 ? .http1Only : .automatic
        let client = HTTPClient(configuration: configuration)
        do {
            try await GatewayFixture.run(
                upstreams: upstreams, settings: files.merging(settings) { $1 }, limits: limits
            ) { try await body($0, client, certificates) }
        } catch {
            try await client.shutdown()
            throw error
        }
        try await client.shutdown()
    }

    private func request(
        _ gateway: GatewayFixture, _ method: HTTPMethod, _ path: String
    ) async throws -> HTTPClientRequest {
        var request = HTTPClientRequest(url: "https://localhost:\(gateway.port)\(path)")
        request.method = method
        request.headers.add(
            name: "Authorization", value: "Bearer \(try await gateway.issuer.token())")
        return request
    }

    @Test("both protocols carry requests with bodies of either framing", arguments: [true, false])
    func both(http1: Bool) async throws {
        let service = EchoService()
        try await RawServer.run(service.handle) { chat in
            try await run([.chat: [chat.port]], http1: http1) { gateway, client, _ in
                var sized = try await request(gateway, .POST, "/search")
                sized.body = .bytes(ByteBuffer(string: "sized"))
                let first = try await client.execute(sized, timeout: .seconds(60))
                #expect(first.status == .ok)
                #expect(first.version == (http1 ? .http1_1 : .http2))
                #expect(service.last?.body == "sized")
                #expect(service.last?.value("x-forwarded-proto") == "https")
                let isForwarded =
                    service.last?.value("forwarded")?.contains(";proto=https;host=\"localhost")
                    ?? false
                #expect(isForwarded)
                var streamed = try await request(gateway, .POST, "/search")
                let pieces = (0..<40).map {
                    ByteBuffer(repeating: UInt8(0x41 + $0 % 26), count: 9000)
                }
                streamed.body = .stream(pieces.async, length: .unknown)
                let second = try await client.execute(streamed, timeout: .seconds(60))
                #expect(second.status == .ok)
                #expect(service.last?.body.utf8.count == 40 * 9000)
                #expect(service.last?.value("transfer-encoding") == "chunked")
                let refused = try await client.execute(
                    HTTPClientRequest(url: "https://localhost:\(gateway.port)/user"),
                    timeout: .seconds(60))
                #expect(refused.status == .unauthorized)
            }
        }
    }

    @Test("many requests at once are one connection; each has its answer")
    func concurrent() async throws {
        let service = EchoService()
        try await RawServer.run(service.handle) { chat in
            try await run([.chat: [chat.port]], settings: ["CONNECTIONS_PER_ADDRESS": "1"]) {
                gateway, client, _ in
                let asked = try await request(gateway, .GET, "/conversations")
                _ = try await client.execute(asked, timeout: .seconds(60))
                try await withThrowingTaskGroup(of: UInt.self) { group in
                    for _ in 0..<60 {
                        group.addTask {
                            let answer = try await client.execute(asked, timeout: .seconds(60))
                            let body = try await answer.body.collect(upTo: 1000)
                            return String(buffer: body).hasPrefix("echo GET")
                                ? answer.status.code : 0
                        }
                    }
                    for try await status in group { #expect(status == 200) }
                }
                let text = await gateway.metrics()
                #expect(text.contains("\ngateway_connections 1\n"))
            }
        }
    }

    @Test("an event passes before there is a next, and a reader who leaves is told of at once")
    func events() async throws {
        let (left, began) = (Signal(), Signal())
        try await RawServer.run { connection in
            _ = await connection.message()
            try await connection.send(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n")
            began.fire()
            _ = await connection.rest()
            left.fire()
        } _: { chat in
            try await run([.chat: [chat.port]]) { gateway, client, _ in
                let asked = try await request(gateway, .POST, "/chat")
                do {
                    let answer = try await client.execute(asked, timeout: .seconds(60))
                    var events = answer.body.makeAsyncIterator()
                    let first = try await events.next()
                    #expect(first.map { String(buffer: $0) } == "data: one\n\n")
                }
                try await left.wait()
            }
        }
    }

    @Test("a body that the service breaks off is no whole body to the client")
    func broken() async throws {
        try await RawServer.run { connection in
            _ = await connection.message()
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        } _: { chat in
            try await run([.chat: [chat.port]]) { gateway, client, _ in
                let asked = try await request(gateway, .GET, "/conversations")
                await #expect(throws: (any Error).self) {
                    let answer = try await client.execute(asked, timeout: .seconds(60))
                    _ = try await answer.body.collect(upTo: 1000)
                }
            }
        }
    }

    @Test(
        "a body that no header tells of reaches no service", arguments: [HTTPMethod.GET, .DELETE])
    func unframed(method: HTTPMethod) async throws {
        let service = EchoService()
        try await RawServer.run(service.handle) { chat in
            try await run([.chat: [chat.port]]) { gateway, client, _ in
                let id = UUID().uuidString.lowercased()
                let smuggled = "DELETE /user HTTP/1.1\r\nHost: x\r\n\r\n"
                for pieces in [[smuggled], ["", smuggled]] {
                    var asked = try await request(gateway, method, "/conversations/\(id)")
                    asked.body = .stream(
                        pieces.map { ByteBuffer(string: $0) }.async, length: .unknown)
                    do {
                        let answer = try await client.execute(asked, timeout: .seconds(60))
                        // Else the service's, who had answered before anything of the body came.
                        #expect([.badRequest, .ok].contains(answer.status))
                    } catch {
                        // Broken off, where the answer was on its way.
                    }
                    let plain = try await client.execute(
                        try await request(gateway, .GET, "/suggestions"), timeout: .seconds(60))
                    let body = try await plain.body.collect(upTo: 1000)
                    #expect(String(buffer: body) == "echo GET /suggestions HTTP/1.1")
                }
                let lines = service.seen.withLock { $0.map(\.startLine) }
                #expect(!lines.contains { $0.contains("/user") })
            }
        }
    }

    @Test("HTTP/2 has the limits of HTTP/1.1")
    func limits() async throws {
        let service = EchoService()
        try await RawServer.run(service.handle) { chat in
            try await run([.chat: [chat.port]], settings: ["MAX_BODY_KB": "64"]) {
                gateway, client, _ in
                var large = try await request(gateway, .POST, "/search")
                large.body = .bytes(ByteBuffer(repeating: 0x20, count: 70_000))
                let tooLarge = try await client.execute(large, timeout: .seconds(60))
                #expect(tooLarge.status == .payloadTooLarge)
                let long = String(repeating: "x", count: 9000)
                let address = "https://localhost:\(gateway.port)/health"
                let uri = try await client.execute(
                    HTTPClientRequest(url: address + "?" + long), timeout: .seconds(60))
                #expect(uri.status == .uriTooLong)
                var many = HTTPClientRequest(url: address)
                for index in 0..<101 { many.headers.add(name: "x-\(index)", value: "y") }
                let headers = try await client.execute(many, timeout: .seconds(60))
                #expect(headers.status == .requestHeaderFieldsTooLarge)
                var odd = HTTPClientRequest(url: address)
                odd.method = .RAW(value: "BREW")
                let method = try await client.execute(odd, timeout: .seconds(60))
                #expect(method.status == .methodNotAllowed)
                let text = await gateway.metrics()
                let line = #"gateway_requests_total{route="none",method="other",status="405"} 1"#
                #expect(text.contains("\n\(line)\n"))
            }
        }
    }

    @Test("a connection of HTTP/2 on which nothing happens is closed")
    func idle() async throws {
        var limits = RequestLimits()
        limits.idle = .milliseconds(500)
        try await run([:], limits: limits) { gateway, client, _ in
            let answer = try await client.execute(
                HTTPClientRequest(url: "https://localhost:\(gateway.port)/health"),
                timeout: .seconds(60))
            #expect(answer.version == .http2)
            try await eventually {
                let text = await gateway.metrics()
                return text.contains("\ngateway_connections 0\n")
            }
        }
    }

    @Test("whoever does not shake hands in time is shown out")
    func silentHandshake() async throws {
        var limits = RequestLimits()
        limits.requestHead = .milliseconds(700)
        try await run([:], limits: limits) { gateway, _, _ in
            for bytes in ["", "\u{16}\u{3}\u{1}"] {
                try await gateway.connect { connection in
                    if !bytes.isEmpty { try await connection.send(bytes) }
                    #expect(await connection.rest() == "")
                    #expect(connection.isEnded)
                }
            }
        }
    }

    @Test("a new certificate is taken up, a broken one is not")
    func reload() async throws {
        try await run([:]) { gateway, client, certificates in
            let identity = try #require(gateway.identity)
            let before = ObjectIdentifier(identity.context)
            identity.reloadIfChanged()
            #expect(ObjectIdentifier(identity.context) == before)
            // Made in the place of the old ones.
            let server = try certificates.server(hostName: "localhost")
            identity.reloadIfChanged()
            let after = ObjectIdentifier(identity.context)
            #expect(after != before)
            let file = try String(contentsOfFile: server.certificate, encoding: .utf8)
            let served = try await runToEnd(
                "/usr/bin/openssl",
                ["s_client", "-connect", "127.0.0.1:\(gateway.port)", "-servername", "localhost"])
            let body = file.split(separator: "\n").dropFirst().prefix(3).joined(separator: "\n")
            #expect(served.contains(body))
            try Data("nonsense".utf8).write(to: URL(filePath: server.certificate))
            identity.reloadIfChanged()
            #expect(ObjectIdentifier(identity.context) == after)
            let answer = try await client.execute(
                HTTPClientRequest(url: "https://localhost:\(gateway.port)/health"),
                timeout: .seconds(60))
            #expect(answer.status == .ok)
        }
    }
}
