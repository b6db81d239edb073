import ServiceRuntime

/// What all event loops and the replicas behind have to tell.
struct GatewayMetrics {
    /// Of one event loop.
    struct Loop {
        let requests: RequestMetrics
        let connectionCount: Int
        let streamCount: Int
    }

    let loops: [Loop]
    let replicas: [Upstream: [ReplicaState]]

    var families: [MetricFamily] {
        var requests = RequestMetrics()
        for loop in loops { requests.merge(loop.requests) }
        var connections = MetricFamily(
            "gateway_connections", .gauge, help: "Open connections of clients.")
        connections.add(loops.map(\.connectionCount).reduce(0, +))
        var streams = MetricFamily("gateway_event_streams", .gauge, help: "Open event streams.")
        streams.add(loops.map(\.streamCount).reduce(0, +))
        return requests.families + [connections, streams] + replicaFamilies
    }

    private var replicaFamilies: [MetricFamily] {
        var outstanding = MetricFamily(
            "gateway_upstream_outstanding_requests", .gauge,
            help: "Requests that a replica has not finished answering.")
        var failures = MetricFamily(
            "gateway_upstream_failures_total", .counter,
            help: "Refused connections, broken and missing answers of a replica.")
        var ready = MetricFamily(
            "gateway_upstream_ready", .gauge, help: "1 if the replica says that it is ready.")
        for (upstream, states) in replicas.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            for state in states {
                let labels = (("upstream", upstream.rawValue), ("replica", "\(state)"))
                outstanding.add(state.outstandingCount, labels.0, labels.1)
                failures.add(state.failureCount, labels.0, labels.1)
                ready.add(state.isReady ? 1 : 0, labels.0, labels.1)
            }
        }
        return [outstanding, failures, ready]
    }
}
