import TestSupport
import Testing

@testable import Gateway

@Suite("The gateway's numbers")
struct GatewayMetricsTests {
    @Test("count answers by route, connections and streams that are open, and each replica's state")
    func numbers() async throws {
        let service = EchoService()
        let goOn = Signal()
        try await RawServer.run(service.handle) { admin in
            try await RawServer.run { connection in
                _ = await connection.message()
                try await connection.send(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: x\n\n")
                try await goOn.wait()
            } _: { chat in
                try await GatewayFixture.run(upstreams: [
                    .admin: [admin.port, 1], .chat: [chat.port],
                ]) {
                    gateway in
                    for _ in 0..<3 { _ = try await gateway.ask("GET", "/admin/jobs") }
                    _ = try await gateway.ask("GET", "/admin/jobs", withToken: false)
                    try await gateway.connect { connection in
                        let token = try await gateway.issuer.token()
                        try await connection.send(
                            request("POST", "/chat", token, "Content-Length: 0"))
                        _ = await connection.text(before: "data: x")
                        // Those of the requests before are gone a moment later.
                        var text = ""
                        try await eventually {
                            text = await gateway.metrics()
                            return text.contains("\ngateway_connections 1\n")
                        }
                        #expect(text.contains("\ngateway_event_streams 1\n"))
                        #expect(
                            text.contains(
                                #"gateway_upstream_outstanding_requests{upstream="chat",replica="127.0.0.1:\#(chat.port)"} 1"#
                            ))
                        goOn.fire()
                        _ = await connection.text(before: "0\r\n\r\n")
                    }
                    await gateway.watch.checkAll()
                    let text = await gateway.metrics()
                    for line in [
                        #"gateway_requests_total{route="/admin/jobs",method="GET",status="200"} 3"#,
                        #"gateway_requests_total{route="/admin/jobs",method="GET",status="401"} 1"#,
                        #"gateway_requests_total{route="/chat",method="POST",status="200"} 1"#,
                        #"gateway_request_duration_seconds_count{route="/admin/jobs"} 4"#,
                        #"gateway_upstream_ready{upstream="admin",replica="127.0.0.1:1"} 0"#,
                    ] {
                        #expect(text.contains("\n\(line)\n"), "\(line)")
                    }
                    let failures = text.firstMatch(
                        of: /failures_total{upstream="admin",replica="127.0.0.1:1"} (\d+)/)
                    #expect(failures.flatMap { Int($0.1) } ?? 0 > 0)
                }
            }
        }
    }
}
