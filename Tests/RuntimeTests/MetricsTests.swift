import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import Testing

@testable import ServiceRuntime

@Suite("Metrics")
struct MetricsTests {
    @Test("are written as Prometheus reads them")
    func exposition() {
        var family = MetricFamily("requests_total", .counter, help: "Requests.")
        family.add(3, ("route", "/a\"b\\c\nd"), ("status", "200"))
        family.add(0.5)
        #expect(
            family.exposition == """
                # HELP requests_total Requests.
                # TYPE requests_total counter
                requests_total{route="/a\\"b\\\\c\\nd",status="200"} 3
                requests_total 0.5

                """)
    }

    @Test("a histogram's buckets hold all below them")
    func histogram() {
        var one = Histogram([0.1, 1])
        for value in [0.1, 0.05, 0.5, 7] { one.observe(value) }
        var other = Histogram([0.1, 1])
        other.observe(0.75)
        one.merge(other)
        var family = MetricFamily("seconds", .histogram, help: "How long.")
        family.add(one, ("route", "/a"))
        #expect(
            family.exposition.split(separator: "\n").dropFirst(2) == [
                #"seconds_bucket{route="/a",le="0.1"} 2"#,
                #"seconds_bucket{route="/a",le="1"} 4"#,
                #"seconds_bucket{route="/a",le="+Inf"} 5"#,
                #"seconds_sum{route="/a"} 8.4"#, #"seconds_count{route="/a"} 5"#,
            ])
    }

    @Test("are served on a port of their own, with those of the process, and nothing else is")
    func server() async throws {
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let source: MetricSource = {
            var family = MetricFamily("things", .gauge, help: "Things.")
            family.add(7)
            return [family]
        }
        let server = MetricsServer(
            host: "127.0.0.1", port: 0, sources: [source],
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            onListening: { listening.yield($0) })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            for await port in ports {
                for (path, status) in [("/metrics", 200), ("/", 404), ("/metrics?x", 404)] {
                    let answer = try await HTTPClient.shared.execute(
                        HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)"),
                        timeout: .seconds(10))
                    #expect(answer.status.code == status)
                    let text = String(buffer: try await answer.body.collect(upTo: 1 << 20))
                    guard status == 200 else { continue }
                    #expect(text.contains("\nthings 7\n"))
                    for name in [
                        "process_cpu_seconds_total", "process_resident_memory_bytes",
                        "process_open_fds", "process_max_fds", "process_start_time_seconds",
                    ] {
                        let line = text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
                        let value = line.flatMap { Double($0.dropFirst(name.count + 1)) }
                        #expect((value ?? 0) > 0, "\(name)")
                    }
                }
                break
            }
            group.cancelAll()
        }
    }
}
