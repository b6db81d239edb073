import NIOHTTP1
import TestSupport
import Testing

@testable import Gateway

@Suite("Where a request comes from")
struct ClientTests {
    private static let proxies = TrustedProxies(
        networks: ["10.0.0.0/8", "fd00::/8", "192.0.2.7"].compactMap { IPNetwork($0) })

    @Test("networks hold the addresses of their bits, and nothing else is one")
    func networks() {
        let cases: [(String, String, Bool)] = [
            ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false),
            ("10.1.2.3/8", "10.9.9.9", true), ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false), ("::/0", "2001:db8::1", true),
            ("2001:db8::/33", "2001:db8:7fff::1", true),
            ("2001:db8::/33", "2001:db8:8000::1", false),
            ("fd00::/72", "fd00::ff:0:0:1", true), ("fd00::/72", "fd00::100:0:0:1", false),
            ("192.0.2.7", "192.0.2.7", true), ("192.0.2.7", "192.0.2.8", false),
            ("192.0.2.7", "::ffff:192.0.2.7", true),
        ]
        for (network, address, isIn) in cases {
            let contains = IPAddress(address).flatMap { IPNetwork(network)?.contains($0) }
            #expect(contains == isIn, "\(address) in \(network)")
        }
        for bad in ["", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/", "a.b", "10.0.0/8"] {
            #expect(IPNetwork(bad) == nil, "\(bad)")
        }
    }

    @Test("only a trusted proxy is believed, and only what it wrote itself")
    func chain() {
        let cases: [(peer: String, forwarded: [String], client: String)] = [
            ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
            ("10.0.0.1", [], "10.0.0.1"),
            ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", ["1.1.1.1", "198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", ["198.51.100.1, 192.0.2.7, 10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", ["198.51.100.1, nonsense"], "10.0.0.1"),
            ("10.0.0.1", ["198.51.100.1, nonsense, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
            ("fd00::1", ["[2001:db8::1]:4711"], "2001:db8::1"),
            ("fd00::1", ["2001:db8::1"], "2001:db8::1"),
        ]
        for (peer, forwarded, client) in cases {
            let headers = HTTPHeaders(
                [("Host", "gw")] + forwarded.map { ("X-Forwarded-For", $0) })
            let found = Self.proxies.client(of: headers, from: IPAddress(peer), scheme: "http")
            #expect(found.address?.description == client, "\(peer) \(forwarded)")
        }
    }

    @Test("scheme and host are the proxy's word too")
    func schemeAndHost() {
        let headers: HTTPHeaders = [
            "Host": "inner:8000", "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "assistant.example.org",
        ]
        let trusted = Self.proxies.client(
            of: headers, from: IPAddress("10.0.0.1"), scheme: "http")
        #expect(trusted.scheme == "https")
        #expect(trusted.host == "assistant.example.org")
        let other = Self.proxies.client(
            of: headers, from: IPAddress("203.0.113.9"), scheme: "http")
        #expect(other.scheme == "http")
        #expect(other.host == "inner:8000")
        for bad in ["a\";for=evil", "a, b", "", String(repeating: "a", count: 256)] {
            let sent: HTTPHeaders = ["Host": "inner", "X-Forwarded-Host": bad]
            let client = Self.proxies.client(
                of: sent, from: IPAddress("10.0.0.1"), scheme: "http")
            #expect(client.host == "inner", "\(bad)")
        }
    }

    @Test("services are told by us, whatever the client wrote")
    func forwarded() async throws {
        let service = EchoService()
        try await RawServer.run(service.handle) { chat in
            let forged = [
                "X-Forwarded-For: 1.2.3.4", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil",
                "Forwarded: for=1.2.3.4;host=evil", "X-Real-IP: 1.2.3.4",
                "X_Forwarded_For: 1.2.3.4",
            ]
            try await GatewayFixture.run(upstreams: [.chat: [chat.port]]) { gateway in
                _ = try await gateway.ask("GET", "/conversations", headers: forged)
                let seen = try #require(service.last)
                #expect(seen.values("x-forwarded-for") == ["127.0.0.1"])
                #expect(seen.values("x-forwarded-proto") == ["http"])
                #expect(seen.values("x-forwarded-host") == ["gateway.test"])
                #expect(
                    seen.values("forwarded") == [
                        #"for=127.0.0.1;proto=http;host="gateway.test""#
                    ])
                #expect(seen.value("x-real-ip") == nil)
                #expect(seen.value("x_forwarded_for") == nil)
            }
            try await GatewayFixture.run(
                upstreams: [.chat: [chat.port]], settings: ["TRUSTED_PROXIES": "127.0.0.0/8"]
            ) { gateway in
                _ = try await gateway.ask("GET", "/conversations", headers: forged)
                let seen = try #require(service.last)
                #expect(seen.values("x-forwarded-for") == ["1.2.3.4"])
                #expect(
                    seen.values("forwarded") == [#"for=1.2.3.4;proto=https;host="evil""#])
            }
        }
    }

    @Test("a trace is gone on with if it is one, and begun otherwise")
    func trace() async throws {
        let trace = String(repeating: "ab", count: 16)
        let good = "00-\(trace)-00f067aa0ba902b7-01"
        var random = SystemRandomNumberGenerator()
        let continued = TraceContext(continuing: good, using: &random)
        #expect(continued.isContinued)
        #expect(continued.traceID == trace)
        #expect(continued.flags == "01")
        #expect(continued.spanID != "00f067aa0ba902b7")
        let later = "cc-\(trace)-00f067aa0ba902b7-01-more"
        #expect(TraceContext(continuing: later, using: &random).isContinued)
        let zero = String(repeating: "0", count: 32)
        for bad in [
            "", "x", "00-\(zero)-00f067aa0ba902b7-01", "00-\(trace)-0000000000000000-01",
            "ff-\(trace)-00f067aa0ba902b7-01", "00-\(trace.uppercased())-00f067aa0ba902b7-01",
            "00-\(trace)-00f067aa0ba902b7-01-more", "00-\(trace)-00f067aa0ba902b7",
            good + "\u{301}",
        ] {
            let begun = TraceContext(continuing: bad, using: &random)
            #expect(!begun.isContinued, "\(bad)")
            #expect(begun.traceID.count == 32 && begun.traceID != trace)
            #expect(begun.flags == "00")
        }
        let service = EchoService()
        try await RawServer.run(service.handle) { chat in
            try await GatewayFixture.run(upstreams: [.chat: [chat.port]]) { gateway in
                let state = "tracestate: vendor=1"
                _ = try await gateway.ask(
                    "GET", "/conversations", headers: ["traceparent: \(good)", state])
                let sent = try #require(service.last?.value("traceparent"))
                #expect(sent.hasPrefix("00-\(trace)-") && sent != good)
                #expect(service.last?.value("tracestate") == "vendor=1")
                _ = try await gateway.ask(
                    "GET", "/conversations",
                    headers: ["traceparent: \(good)", "traceparent: \(good)", state])
                #expect(service.last?.value("traceparent")?.contains(trace) == false)
                #expect(service.last?.value("tracestate") == nil)
            }
        }
    }
}
