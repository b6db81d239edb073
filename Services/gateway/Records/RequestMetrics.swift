import NIOCore
import NIOHTTP1
import ServiceRuntime

/// What one event loop has answered, in numbers. Only touched on that loop.
struct RequestMetrics {
    private struct Key: Hashable {
        /// As the route table writes it; `none` for what is not in it.
        let route: String
        /// One of the methods that routes have, or `other`: clients may make any up.
        let method: String
        let status: UInt
    }

    private var counts: [Key: Int] = [:]
    private var durations: [String: Histogram] = [:]
    private var responseByteCount = 0

    mutating func add(_ record: RequestRecord) {
        let route = record.route ?? "none"
        let method =
            Routes.methods.contains(record.head.method) ? record.head.method.rawValue : "other"
        let key = Key(route: route, method: method, status: record.status)
        counts[key, default: 0] += 1
        responseByteCount += record.responseByteCount
        let seconds = Double((NIODeadline.now() - record.startedAt).nanoseconds) / 1e9
        durations[route, default: Histogram()].observe(seconds)
    }

    mutating func merge(_ other: RequestMetrics) {
        counts.merge(other.counts, uniquingKeysWith: +)
        responseByteCount += other.responseByteCount
        durations.merge(other.durations) { one, other in
            var sum = one
            sum.merge(other)
            return sum
        }
    }

    var families: [MetricFamily] {
        var requests = MetricFamily(
            "gateway_requests_total", .counter, help: "Answered requests.")
        for (key, count) in counts.sorted(by: {
            ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status)
        }) {
            requests.add(
                count, ("route", key.route), ("method", key.method), ("status", "\(key.status)"))
        }
        var seconds = MetricFamily(
            "gateway_request_duration_seconds", .histogram,
            help: "From a request's head to its answer's end; event streams included.")
        for (route, histogram) in durations.sorted(by: { $0.key < $1.key }) {
            seconds.add(histogram, ("route", route))
        }
        var bytes = MetricFamily(
            "gateway_response_bytes_total", .counter, help: "Bytes of answers' bodies.")
        bytes.add(responseByteCount)
        return [requests, seconds, bytes]
    }
}
